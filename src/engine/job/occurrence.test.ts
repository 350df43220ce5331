import assert from "node:assert/strict";
import { test } from "node:test";
import { plainJob, type Job } from "./job.ts";
import { assignFirst, assignMore, beginOccurrence } from "./occurrence.ts";
import { createRun, type Run } from "./run.ts";

const hourMs = 3_600_000;
const plain = plainJob("j", "j", [{ kind: "restart" }], 0);
const hourly: Job = {
  ...plain,
  schedule: { at: null, timeZone: "UTC", repeat: { type: "interval", everyMs: hourMs } },
};
const ended = (run: Run): Run => ({ ...run, state: "done" });
const ids = (runs: readonly Run[]): string[] => runs.map(({ id, state }) => `${id} ${state}`);
const byComputer = (runs: readonly Run[]): Map<string, Run> =>
  new Map(runs.map((run) => [run.computerId, run]));

test("a job without a schedule begins when it is assigned, each computer once", () => {
  const { assignment, runs } = assignFirst(plain, ["a", "b", "a"], 5);
  assert.deepEqual(ids(runs), ["j.a queued", "j.b queued"]);
  assert.equal(assignment.nextAtMs, null);
});

test("assigning again: unfinished runs stay, ended ones are done again under a new number, together with new ones", () => {
  const first = assignFirst(plain, ["a", "b"], 5);
  const [a, b] = first.runs;
  assert.ok(a && b);
  const more = assignMore(plain, first.assignment, ["a", "c"], byComputer([a, b]), 6);
  assert.deepEqual(ids(more.runs), ["j.c queued"]);
  const again = assignMore(
    plain,
    more.assignment,
    ["a", "b", "c", "d"],
    byComputer([ended(a), ended(b), ...more.runs]),
    7,
  );
  assert.deepEqual(ids(again.runs), ["j.a.2 queued", "j.b.2 queued", "j.d.2 queued"]);
  assert.deepEqual(again.assignment.computerIds, ["a", "b", "c", "d"]);
});

test("a repeated job begins each time anew, skips who is not done yet, and counts missed times as one", () => {
  const first = assignFirst(hourly, ["a", "b"], 0);
  assert.deepEqual(first.runs, []);
  assert.equal(first.assignment.nextAtMs, 0);
  const one = beginOccurrence(hourly, first.assignment, new Map(), 10);
  assert.deepEqual(ids(one.runs), ["j.a queued", "j.b queued"]);
  assert.equal(one.assignment.nextAtMs, hourMs);
  const [a, b] = one.runs;
  assert.ok(a && b);
  const late = beginOccurrence(hourly, one.assignment, byComputer([ended(a), b]), 5.5 * hourMs);
  assert.deepEqual(ids(late.runs), ["j.a.2 queued", "j.b.2 skipped"]);
  assert.match(late.runs[1]?.reason?.text ?? "", /was not over/);
  assert.equal(late.assignment.nextAtMs, 6 * hourMs);
});

test("more computers of a scheduled job wait for its next time", () => {
  const first = assignFirst(hourly, [], 0);
  const more = assignMore(hourly, first.assignment, ["a"], new Map(), 1);
  assert.deepEqual(more.runs, []);
  assert.deepEqual(more.assignment.computerIds, ["a"]);
  assert.equal(createRun("j", "a", 0, 3).id, "j.a.3");
});
