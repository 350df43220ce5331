import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { bootEvent, type BootEvent } from "#engine/boot/boot-event.ts";
import { systemClock } from "#platform/clock.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { BootEventRecorder, type BootEventSink } from "./boot-events.ts";
import { readRange } from "./http-range.ts";

const log = pino({ level: "silent" });
const serverAddress = Ipv4Address.parse("192.168.0.1");

function event(atMs: number): BootEvent {
  return bootEvent({ atMs, stage: "discover", interfaceName: "eth0", serverAddress });
}

function recorder(sink: BootEventSink, queueCountMax: number): BootEventRecorder {
  return new BootEventRecorder(
    { queueCountMax, batchCountMax: 2, retryDelayMs: 5, gatherDelayMs: 0 },
    { sink, clock: systemClock, log },
  );
}

test("boot events: a store that is down loses the newest and never makes anybody wait", async () => {
  const events = recorder(() => Promise.reject(new Error("down")), 3);
  for (const atMs of [1, 2, 3, 4, 5]) {
    events.record(event(atMs));
  }
  assert.equal(events.waitingCount, 3);
  assert.equal(events.droppedCount, 2);
  await events.stop();
  assert.equal(events.droppedCount, 5);
});

test("boot events: written in order and in batches once the store is back", async () => {
  const written: number[] = [];
  let isDown = true;
  const events = recorder((batch) => {
    if (isDown) {
      isDown = false;
      return Promise.reject(new Error("down"));
    }
    written.push(...batch.map(({ atMs }) => atMs));
    return Promise.resolve();
  }, 100);
  for (const atMs of [1, 2, 3, 4, 5]) {
    events.record(event(atMs));
  }
  while (events.waitingCount > 0 || written.length < 5) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  assert.deepEqual(written, [1, 2, 3, 4, 5]);
  await events.stop();
  assert.equal(events.writtenCount, 5);
  assert.equal(events.droppedCount, 0);
});

test("boot events: stopping writes what is left, also while a batch is on its way", async () => {
  const written: number[] = [];
  const events = recorder(async (batch) => {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
    written.push(...batch.map(({ atMs }) => atMs));
  }, 100);
  for (const atMs of [1, 2, 3, 4, 5]) {
    events.record(event(atMs));
  }
  await new Promise((resolve) => {
    setTimeout(resolve, 3);
  });
  await events.stop();
  assert.deepEqual(written, [1, 2, 3, 4, 5]);
});

const ranges: readonly [string | undefined, object][] = [
  [undefined, { type: "whole" }],
  ["bytes=0-9", { type: "part", first: 0, last: 9 }],
  ["bytes=90-", { type: "part", first: 90, last: 99 }],
  ["bytes=-10", { type: "part", first: 90, last: 99 }],
  ["bytes=-1000", { type: "part", first: 0, last: 99 }],
  ["bytes=90-1000", { type: "part", first: 90, last: 99 }],
  ["bytes=100-", { type: "unsatisfiable" }],
  ["bytes=-0", { type: "unsatisfiable" }],
  ["bytes=9-0", { type: "whole" }],
  ["bytes=0-1,5-6", { type: "whole" }],
  ["bytes=-", { type: "whole" }],
  ["lines=1-2", { type: "whole" }],
  ["bytes=99999999999999999999-", { type: "whole" }],
];

for (const [header, expected] of ranges) {
  test(`HTTP range: ${header ?? "no header"} of 100 bytes`, () => {
    assert.deepEqual(readRange(header, 100), expected);
  });
}
