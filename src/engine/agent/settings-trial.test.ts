import assert from "node:assert/strict";
import { test } from "node:test";
import { describeReturn, stepTrial } from "./settings-trial.ts";

const trial = {
  changeId: "s1",
  previousText: "old",
  newText: "new",
  deadlineAtMs: 100_000,
  returnAfterMs: 60_000,
};

test("settings trial: waits to the deadline, then returns", () => {
  assert.deepEqual(stepTrial(trial, 40_000), { type: "wait", forMs: 60_000 });
  assert.deepEqual(stepTrial(trial, 99_999), { type: "wait", forMs: 1 });
  assert.deepEqual(stepTrial(trial, 100_000), { type: "return" });
});

test("settings trial: a clock set back makes it one full time longer, not years", () => {
  assert.deepEqual(stepTrial(trial, -1e12), { type: "wait", forMs: 60_000 });
});

test("settings trial: says how long it tried and what was in the way", () => {
  assert.equal(
    describeReturn(trial, "10.0.0.9:402 could not be reached"),
    "the server was not reached with the new settings within 60 s, the old ones are back: 10.0.0.9:402 could not be reached",
  );
});
