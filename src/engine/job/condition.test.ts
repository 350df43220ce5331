import assert from "node:assert/strict";
import { test } from "node:test";
import {
  holds,
  parseComparison,
  parseFactTest,
  type Condition,
  type FactName,
  type Facts,
} from "./condition.ts";
import { decideAfter, parseCodeAction, parseCodes } from "./code-rule.ts";
import type { Task } from "./job.ts";

const facts: Facts = {
  name: "pc-07",
  model: "LENOVO ThinkPad X1",
  mac: ["52:54:00:00:00:07", "52:54:00:00:00:08"],
  memoryBytes: 8 * 2 ** 30,
  secureBoot: true,
  diskModel: [],
  serial: null,
};
const one = (fact: FactName, written: string | number | boolean | readonly string[]): Condition => [
  [{ fact, test: parseFactTest(written) }],
];

test("conditions: texts with stars and lists, numbers with units, flags", () => {
  for (const [condition, expected] of [
    [one("model", "*thinkpad*"), true],
    [one("model", "thinkpad"), false],
    [one("model", "LENOVO*X1"), true],
    [one("model", "*X1*X1"), false],
    [one("name", ["pc-01", "pc-0*"]), true],
    [one("mac", "52:54:00:00:00:08"), true],
    [one("diskModel", "*"), false],
    [one("memoryBytes", ">= 8 GiB"), true],
    [one("memoryBytes", "> 8GiB"), false],
    [one("memoryBytes", "< 9 GB"), true],
    [one("secureBoot", true), true],
    [one("secureBoot", false), false],
  ] as const) {
    assert.equal(holds(condition, facts), expected, JSON.stringify(condition));
  }
});

test("conditions: what is not known fulfils nothing, all of a group must hold, any group is enough", () => {
  assert.equal(holds(one("serial", "*"), facts), false);
  assert.equal(holds(one("segment", "*"), facts), false);
  const [group = []] = one("name", "pc-07");
  const [other = []] = one("secureBoot", false);
  assert.equal(holds([[...group, ...other]], facts), false);
  assert.equal(holds([other, group], facts), true);
  assert.equal(holds([], facts), false);
});

test("conditions: a hostile pattern takes no time", () => {
  const before = process.cpuUsage();
  const text = "a".repeat(5000);
  assert.equal(holds(one("name", `${"a*".repeat(500)}b`), { name: text }), false);
  assert.ok(process.cpuUsage(before).user < 1_000_000);
});

test("comparisons: what is none is a text", () => {
  assert.equal(parseComparison("8 GiB"), null);
  assert.equal(parseComparison(">= 8 Gib"), null);
  assert.deepEqual(parseComparison("=2"), { type: "compare", operator: "=", value: 2 });
});

test("return codes: named codes first, then other, then 0 goes on and the rest stops", () => {
  const task: Task = {
    kind: "restart",
    codes: [
      { codes: { from: 3010, to: 3010 }, action: { type: "jump", taskName: "again" } },
      { codes: { from: 1, to: 9 }, action: { type: "continue" } },
      { codes: "other", action: { type: "end" } },
    ],
  };
  assert.deepEqual(decideAfter(task, "failed", 3010), { type: "jump", taskName: "again" });
  assert.deepEqual(decideAfter(task, "done", 3010), { type: "jump", taskName: "again" });
  assert.deepEqual(decideAfter(task, "failed", 9), { type: "continue" });
  assert.deepEqual(decideAfter(task, "failed", 10), { type: "end" });
  assert.deepEqual(decideAfter(task, "failed", null), { type: "end" });
  assert.deepEqual(decideAfter(task, "done", null), { type: "continue" });
  assert.deepEqual(decideAfter({ kind: "restart" }, "failed", 1), { type: "stop" });
  assert.deepEqual(decideAfter({ kind: "restart" }, "failed", null), { type: "stop" });
  const zero: Task = { kind: "restart", codes: [{ codes: { from: 0, to: 0 }, action: { type: "stop" } }] };
  assert.deepEqual(decideAfter(zero, "done", null), { type: "stop" });
});

test("return codes: as an operator writes them", () => {
  assert.deepEqual(parseCodes("1-9"), { from: 1, to: 9 });
  assert.deepEqual(parseCodes("-1"), { from: -1, to: -1 });
  assert.equal(parseCodes("other"), "other");
  assert.equal(parseCodes("9-1"), null);
  assert.equal(parseCodes("x"), null);
  assert.deepEqual(parseCodeAction("jump clean up"), { type: "jump", taskName: "clean up" });
  assert.deepEqual(parseCodeAction("stop"), { type: "stop" });
  assert.equal(parseCodeAction("jump"), null);
  assert.equal(parseCodeAction("stop now"), null);
});
