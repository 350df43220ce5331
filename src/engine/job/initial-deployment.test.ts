import assert from "node:assert/strict";
import { test } from "node:test";
import { classicSettings } from "#plan/settings.ts";
import {
  composeMenu,
  decideInitialDeployment,
  type InitialSettings,
  judgeChoice,
  listInitialProblems,
} from "./initial-deployment.ts";

const image = { id: "j-00000001", name: "Classroom image", isDestructive: true };
const script = { id: "j-00000002", name: "Memory test", isDestructive: false };
const jobs = [image, script];
const newcomer = { environment: "preboot", hasHistory: false, isAsked: false } as const;

function settings(changed: {
  readonly action: InitialSettings["initialDeployment.action"];
  readonly jobs?: readonly string[];
  readonly default?: string;
  readonly mayErase?: boolean;
  readonly menuMs?: number;
}): InitialSettings {
  return {
    ...classicSettings,
    "initialDeployment.action": changed.action,
    "initialDeployment.jobs": changed.jobs ?? [image.id, script.id],
    "initialDeployment.default": changed.default ?? script.id,
    "initialDeployment.mayErase": changed.mayErase ?? false,
    "initialDeployment.menuMs": changed.menuMs ?? 30_000,
  };
}

test("only a computer in preboot that is new, or was asked for, gets anything", () => {
  const job = settings({ action: "job" });
  assert.deepEqual(decideInitialDeployment(job, { ...newcomer, environment: "os" }, jobs), {
    type: "leave",
    reason: "not-in-preboot",
  });
  assert.deepEqual(decideInitialDeployment(job, { ...newcomer, hasHistory: true }, jobs), {
    type: "leave",
    reason: "not-new",
  });
  assert.deepEqual(decideInitialDeployment(job, { ...newcomer, hasHistory: true, isAsked: true }, jobs), {
    type: "assign",
    jobId: script.id,
  });
});

test("as it comes out of the box, a new computer waits", () => {
  assert.deepEqual(decideInitialDeployment(classicSettings, newcomer, []), {
    type: "wait",
    reason: "action-is-wait",
  });
});

test("a default that erases is taken by itself only where the settings say so", () => {
  const erasing = { action: "job", default: image.id } as const;
  assert.deepEqual(decideInitialDeployment(settings(erasing), newcomer, jobs), {
    type: "wait",
    reason: "default-erases",
  });
  assert.deepEqual(decideInitialDeployment(settings({ ...erasing, mayErase: true }), newcomer, jobs), {
    type: "assign",
    jobId: image.id,
  });
  const menu = composeMenu(settings({ action: "menu", default: image.id }), jobs);
  assert.equal(menu.defaultChoice, null);
  assert.equal(menu.timeoutMs, null, "without a default the menu waits for a person");
  assert.deepEqual(judgeChoice(menu, { choice: image.id, by: "person" }), {
    type: "assign",
    jobId: image.id,
  });
  assert.equal(judgeChoice(menu, { choice: image.id, by: "timeout" }), null);
});

test("the menu has the jobs that are there in the order of the settings, then the disk and waiting", () => {
  const menu = composeMenu(settings({ action: "menu", jobs: [script.id, "j-99999999", image.id] }), jobs);
  assert.deepEqual(
    menu.entries.map(({ choice }) => choice),
    [script.id, image.id, "local", "wait"],
  );
  assert.equal(menu.defaultChoice, script.id);
  assert.equal(menu.timeoutMs, 30_000);
});

test("an answer is checked against what was shown", () => {
  const menu = composeMenu(settings({ action: "menu" }), jobs);
  assert.equal(judgeChoice(menu, { choice: "j-99999999", by: "person" }), null);
  assert.equal(judgeChoice(menu, { choice: "local", by: "timeout" }), null, "the default is another");
  assert.deepEqual(judgeChoice(menu, { choice: script.id, by: "timeout" }), {
    type: "assign",
    jobId: script.id,
  });
  assert.deepEqual(judgeChoice(menu, { choice: "local", by: "person" }), { type: "local" });
  const endless = composeMenu(settings({ action: "menu", menuMs: 0 }), jobs);
  assert.equal(judgeChoice(endless, { choice: script.id, by: "timeout" }), null);
});

test("what will not come about is said before a computer meets it", () => {
  assert.deepEqual(listInitialProblems(settings({ action: "menu" }), jobs), []);
  assert.deepEqual(listInitialProblems(settings({ action: "wait", default: "j-99999999" }), jobs), []);
  const problems = (changed: Parameters<typeof settings>[0]): string =>
    listInitialProblems(settings(changed), jobs).join("; ");
  assert.match(problems({ action: "job", default: image.id }), /Classroom image erases disks.*mayErase/);
  assert.match(problems({ action: "job", default: "j-99999999" }), /default job j-99999999 is not there/);
  assert.match(problems({ action: "job", default: "wait" }), /no default job/);
  assert.match(problems({ action: "menu", jobs: [image.id] }), /not in the menu/);
  assert.match(problems({ action: "menu", jobs: ["j-99999999", script.id] }), /menu names job j-99999999/);
});
