import assert from "node:assert/strict";
import { test } from "node:test";
import { type Receiver, SimulatedRoom } from "./simulated-room.ts";

/*
 * Virtual time on links of 6 Mbit/s, so that one copy takes half a minute, as it would of 4 GB on a link of 1 Gbit/s. At
 * this rate one chunk takes a third of a second: what a real room loses in milliseconds is seconds here.
 */
const bitsPerSecond = 6e6;
const chunkCount = 96;
const faults = {
  bitsPerSecond,
  lossRate: 0.02,
  duplicateRate: 0.01,
  reorderRate: 0.01,
  reorderDelayMs: 10,
};
const seed = 5;

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `pc${index}`);
}

function lastDoneAtMs(receivers: readonly Receiver[]): number {
  return Math.max(...receivers.map(({ doneAtMs }) => doneAtMs ?? Number.POSITIVE_INFINITY));
}

function assertWhole(receivers: readonly Receiver[]): void {
  for (const { name, leftBecause, written } of receivers) {
    assert.equal(`${name} ${leftBecause} with ${written.size}`, `${name} done with ${chunkCount}`);
  }
}

async function playPlain(count: number): Promise<SimulatedRoom> {
  const room = new SimulatedRoom(seed, chunkCount, faults);
  await room.start(names(count));
  await room.play();
  assertWhole(room.receivers);
  return room;
}

test("simulated room: twenty receivers at 2 % loss, each its own, cost at most 1.15 copies beside what was lost", async (t) => {
  const room = await playPlain(20);
  const copies = room.sentBytes / room.copyBytes;
  t.diagnostic(
    `${copies.toFixed(3)} copies, ${(lastDoneAtMs(room.receivers) / 1000).toFixed(1)} virtual seconds`,
  );
  assert.ok(copies <= 1.15 + faults.lossRate, `${copies} copies`);
});

test("simulated room: a receiver at a tenth of the speed goes, is named, and costs the others at most 10 %", async (t) => {
  const plainMs = lastDoneAtMs((await playPlain(8)).receivers);
  const room = new SimulatedRoom(seed, chunkCount, faults);
  await room.start(names(8));
  const slow = room.join("slow", { bitsPerSecond: bitsPerSecond / 10 });
  await room.play();
  const others = room.receivers.filter((receiver) => receiver !== slow);
  assertWhole(others);
  assert.equal(slow.leftBecause, "too-slow");
  const ratio = lastDoneAtMs(others) / plainMs;
  t.diagnostic(`others take ${ratio.toFixed(3)} of the time without it`);
  assert.ok(ratio <= 1.1, `${ratio}`);
});

test("simulated room: one that joins at 60 % gets the rest from the wire, and costs the others at most 5 %", async (t) => {
  const plain = await playPlain(8);
  const plainMs = lastDoneAtMs(plain.receivers);
  const room = new SimulatedRoom(seed, chunkCount, faults);
  await room.start(names(8));
  await room.play(new Map([[plainMs * 0.6, () => void room.join("late")]]));
  assertWhole(room.receivers);
  const others = room.receivers.filter(({ name }) => name !== "late");
  const ratio = lastDoneAtMs(others) / plainMs;
  const copies = room.sentBytes / room.copyBytes;
  t.diagnostic(`others take ${ratio.toFixed(3)} of the time without it; ${copies.toFixed(3)} copies`);
  assert.ok(ratio <= 1.05, `${ratio}`);
  assert.ok(copies <= (1.15 + faults.lossRate) * 1.6, `${copies} copies for 1.6`);
});

test("simulated room: of twenty, two are killed, one is slow and one late: all but those finish, with right hashes", async (t) => {
  const plainMs = lastDoneAtMs((await playPlain(16)).receivers);
  const room = new SimulatedRoom(seed, chunkCount, faults);
  await room.start(names(16));
  const slow = room.join("slow", { bitsPerSecond: bitsPerSecond / 10 });
  const killed = [room.join("killed-1"), room.join("killed-2")];
  const events = new Map([
    ...killed.map((receiver, index) => [8000 + index * 7000, () => room.kill(receiver)] as const),
    [plainMs * 0.6, () => void room.join("late")] as const,
  ]);
  await room.play(events);
  const gone = new Set([slow, ...killed]);
  assertWhole(room.receivers.filter((receiver) => !gone.has(receiver)));
  assert.deepEqual(
    [...gone].map(({ leftBecause }) => leftBecause),
    ["too-slow", "silent", "silent"],
  );
  const others = room.receivers.filter((receiver) => !gone.has(receiver) && receiver.name !== "late");
  const ratio = lastDoneAtMs(others) / plainMs;
  const copies = room.sentBytes / room.copyBytes;
  t.diagnostic(`others take ${ratio.toFixed(3)} of the time without them; ${copies.toFixed(3)} copies`);
  assert.ok(ratio <= 1.1, `${ratio}`);
  assert.ok(copies <= (1.15 + faults.lossRate) * 1.6, `${copies} copies for 1.6`);
});
