import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestRate } from "./request-rate.ts";

test("request rate: a burst passes, then as many as the rate, for each caller alone", () => {
  const rate = new RequestRate({ burst: 3, perSecond: 2 });
  assert.deepEqual(
    [0, 0, 0, 0].map((nowMs) => rate.take("a", nowMs)),
    [0, 0, 0, 500],
  );
  assert.equal(rate.take("b", 0), 0);
  assert.equal(rate.waitMs("a", 500), 0);
  assert.equal(rate.take("a", 500), 0);
  assert.equal(rate.take("a", 500), 500);
});

test("request rate: a clock that goes back gives nothing away", () => {
  const rate = new RequestRate({ burst: 1, perSecond: 1 });
  assert.equal(rate.take("a", 10_000), 0);
  assert.equal(rate.take("a", 1000), 1000);
});
