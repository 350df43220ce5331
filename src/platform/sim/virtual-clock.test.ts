import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "./virtual-clock.ts";

test("virtual clock: callbacks run in order of time, then of registration, and not before", async () => {
  const clock = new VirtualClock(1_000_000);
  const seen: string[] = [];
  const note = (name: string) => (): void => {
    seen.push(`${name}@${clock.monotonicMs()}`);
  };
  clock.after(20, note("late"));
  clock.after(10, note("first"));
  clock.after(10, note("second"));
  const cancel = clock.after(15, note("cancelled"));
  clock.after(10, cancel);
  await clock.advance(9);
  assert.deepEqual(seen, []);
  await clock.advance(11);
  assert.deepEqual(seen, ["first@10", "second@10", "late@20"]);
  assert.equal(clock.epochMs(), 1_000_020);
});

test("virtual clock: a callback may cancel another of the same instant", async () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  let cancelSecond = (): void => undefined;
  clock.after(5, () => {
    seen.push("first");
    cancelSecond();
  });
  cancelSecond = clock.after(5, () => seen.push("second"));
  await clock.advance(10);
  assert.deepEqual(seen, ["first"]);
});

test("virtual clock: promises settled by a callback run on before the next instant", async () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  const sleep = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      clock.after(delayMs, resolve);
    });
  const program = async (): Promise<void> => {
    for (let round = 0; round < 3; round += 1) {
      await sleep(10);
      seen.push(clock.monotonicMs());
    }
  };
  const done = program();
  assert.equal(await clock.runUntilIdle(), true);
  await done;
  assert.deepEqual(seen, [10, 20, 30]);
});

test("virtual clock: what never becomes idle ends at the limit, what never lets time pass is an error", async () => {
  const clock = new VirtualClock();
  const tick = (): void => {
    clock.after(100, tick);
  };
  tick();
  assert.equal(await clock.runUntilIdle(1000), false);
  assert.equal(clock.monotonicMs(), 1000);

  const frozen = new VirtualClock();
  const spin = (): void => {
    for (let copy = 0; copy < 2; copy += 1) {
      frozen.after(0, spin);
    }
  };
  spin();
  await assert.rejects(frozen.advance(1), /time stands still at 0 ms/);
});
