import assert from "node:assert/strict";
import { test } from "node:test";
import { addSample } from "#console/src/api/session-history.ts";

const seen = (sentBytes: number, expectedCount: number, lostCount: number) => ({
  sentBytes,
  receivers: [
    { computerId: "c-1", expectedCount, lostCount },
    { computerId: "c-2", expectedCount, lostCount: 0 },
  ],
});

test("plots of a session: two looks at almost the same time make no gap in the rate", () => {
  const first = addSample([], seen(0, 0, 0), 1000);
  const second = addSample(first, seen(5_000_000, 100, 10), 1500);
  const tooSoon = addSample(second, seen(5_000_000, 100, 10), 1510);
  const third = addSample(tooSoon, seen(10_000_000, 200, 10), 2000);
  assert.equal(tooSoon, second);
  assert.deepEqual(
    third.map(({ rateBytesPerSecond }) => rateBytesPerSecond),
    [0, 10_000_000, 10_000_000],
  );
});

test("plots of a session: loss is of the datagrams since the last look, over all receivers", () => {
  const first = addSample([], seen(0, 0, 0), 0);
  const second = addSample(first, seen(1, 100, 10), 500);
  const third = addSample(second, seen(2, 200, 10), 1000);
  assert.deepEqual(
    third.map(({ lossPercent }) => lossPercent),
    [0, 5, 0],
  );
});
