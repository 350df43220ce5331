import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace.ts";
import { defaultSenderLimits } from "./sender.ts";

type Slow = {
  /** Datagrams that it takes in a millisecond, at a time. */
  readonly perMs: (nowMs: number) => number;
  /** Of those that it takes, so many in a hundred were lost before. */
  readonly lossPercent?: number;
};

/** Ten virtual seconds of a room of three that take thirty datagrams a millisecond, and one more. @returns when that one had to go */
function play({ perMs, lossPercent = 0 }: Slow): { readonly goneAtMs: number | null; readonly sent: number } {
  const pace = new Pace(defaultSenderLimits, 0);
  const others = ["a", "b", "c"];
  for (const id of [...others, "slow"]) {
    pace.join(id, 0);
  }
  let [fast, slow] = [0, 0];
  for (let nowMs = 1; nowMs <= 10_000; nowMs += 1) {
    const count = Math.min(30, pace.budget(nowMs));
    if (count > 0) {
      pace.takeSequences(count);
    }
    fast = Math.min(pace.sentSequence, fast + 30);
    slow = Math.min(pace.sentSequence, slow + perMs(nowMs));
    if (nowMs % 20 === 0) {
      others.forEach((id) => pace.report(id, fast, 0, nowMs));
      pace.report("slow", Math.floor(slow), Math.floor((slow * lossPercent) / 100), nowMs);
    }
    const left = nowMs % 250 === 0 ? pace.judge(nowMs, 250) : [];
    assert.ok(left.every(({ receiverId, reason }) => receiverId === "slow" && reason === "too-slow"));
    if (left.length > 0) {
      return { goneAtMs: nowMs, sent: pace.sentSequence };
    }
  }
  return { goneAtMs: null, sent: pace.sentSequence };
}

test("pace: one at a tenth of the others' speed is sent away within four seconds", () => {
  const { goneAtMs } = play({ perMs: () => 3 });
  assert.ok(goneAtMs !== null && goneAtMs <= 4000, `${goneAtMs}`);
});

test("pace: one that was busy, and keeps up once the room goes on without it, stays", () => {
  const { goneAtMs, sent } = play({ perMs: (nowMs) => (nowMs < 2000 ? 3 : 30) });
  assert.equal(goneAtMs, null);
  assert.ok(sent > 180_000, `${sent} datagrams: the room has its pace again`);
});

test("pace: one that reports as fast as the others, and loses much, is sent away", () => {
  const { goneAtMs } = play({ perMs: () => 30, lossPercent: 40 });
  assert.ok(goneAtMs !== null, "it stays");
});

test("pace: one at two thirds of the others' speed stays, and the room goes at its pace", () => {
  const { goneAtMs, sent } = play({ perMs: () => 20 });
  assert.equal(goneAtMs, null);
  assert.ok(sent > 150_000, `${sent} datagrams`);
});
