import assert from "node:assert/strict";
import { test } from "node:test";
import { plainJob, type Task } from "./job.ts";
import { previewRun } from "./preview-run.ts";
import { reduceRun } from "./reduce-run.ts";
import type { RunEvent, RunStep } from "./run-event.ts";
import { defaultRunLimits as limits } from "./run-limits.ts";
import { createRun, needsPreboot, nextTimerAtMs, type Run } from "./run.ts";
import { runsToHold } from "./runs-to-hold.ts";
import { expectedInSession } from "./schedule-runs.ts";
import { summariseRun } from "./summarise-job.ts";

const timeoutMs = 2 * 3_600_000;
const installer: Task = {
  ...{ kind: "deploy-installer", installerName: "debian-12", kernelSizeBytes: 8 << 20 },
  ...{ content: { contentId: "c".repeat(64), sizeBytes: 48 << 20 }, commandLine: "auto=true" },
  ...{ answers: { fileName: "preseed.cfg", template: "{{name}}" }, domain: null, timeoutMs },
};
const afterwards: Task = {
  ...{ kind: "run-script", script: "true", interpreter: "/bin/sh", environment: "os", timeoutMs: 60_000 },
};
const taskKey = "j.c:0:1";
const startKey = `${taskKey}:start`;

type Reported = [string, "running" | "done" | "failed"];

function on(
  environment: "preboot" | "os",
  agentRunId: string,
  { reports = [], systemKey }: { readonly reports?: Reported[]; readonly systemKey?: string } = {},
): RunEvent {
  return {
    type: "connected",
    connection: { environment, agentRunId, ...(systemKey === undefined ? {} : { systemKey }) },
    reports: reports.map(([key, outcome]) => ({
      key,
      outcome,
      reason: outcome === "failed" ? "no room" : null,
    })),
  };
}

const off: RunEvent = { type: "start", facts: {}, connection: null, reports: [] };
const gone: RunEvent = { type: "disconnected" };
const restarted: RunEvent = { type: "server-restarted" };
const result = (key: string, outcome: "done" | "failed"): RunEvent => ({
  ...{ type: "task-result", key, outcome },
  reason: outcome === "failed" ? "no room" : null,
});

/** One run in virtual time; every state is read back from what the store would have kept. */
class Player {
  run: Run = createRun("j", "c", 0);
  nowMs = 1000;
  last: RunStep | null = null;
  readonly orders: string[] = [];
  readonly job = plainJob("j", "j", [installer, afterwards], 0);

  play(...events: RunEvent[]): this {
    for (const event of events) {
      this.last = reduceRun(this.job, this.run, event, this.nowMs);
      this.run = JSON.parse(JSON.stringify(this.last.run)) as Run;
      this.orders.push(...this.last.effects.map((effect) => effect.type));
    }
    return this;
  }

  /** Fetched, in memory, and told to start. */
  started(systemKey?: string): this {
    const at = on("preboot", "p1", systemKey === undefined ? {} : { systemKey });
    return this.play(off, at, { type: "session-started" }, result(taskKey, "done"));
  }

  wait(): this {
    for (let atMs = nextTimerAtMs(this.run); atMs !== null; atMs = nextTimerAtMs(this.run)) {
      this.nowMs = atMs;
      this.play({ type: "timer" });
    }
    return this;
  }

  get effects(): string[] {
    return (this.last?.effects ?? []).map(({ type }) => type);
  }

  get startCount(): number {
    return this.orders.filter((type) => type === "start-installer").length;
  }

  get words(): string {
    return summariseRun(this.job, this.run, this.nowMs).reason ?? "";
  }
}

test("installer: fetched in preboot, started, and done when the agent of the new system connects", () => {
  const player = new Player().play(off, on("preboot", "p1", { systemKey: "old" }));
  assert.deepEqual(player.effects, ["join-session"]);
  player.play(
    { type: "session-started" },
    {
      ...{ type: "task-progress", key: taskKey, doneBytes: 1, totalBytes: 2, transport: "unicast" },
      stage: "fetching installer",
    },
  );
  assert.equal(player.words, "fetching installer");
  player.play(result(taskKey, "done"));
  assert.deepEqual(player.effects, ["leave-session", "start-installer"]);
  assert.deepEqual([player.run.state, player.words], ["installing", "Starting the installer."]);
  assert.equal(player.last?.mustStore, true, "stored before it is told to start");
  assert.equal(needsPreboot(player.job, player.run), false, "its next boot is from its disk");
  player.play(gone);
  assert.equal(player.words, "Waiting for the installed system's agent.");
  player.nowMs += 3_000_000;
  player.play(on("os", "o1", { systemKey: "new" }));
  assert.deepEqual([player.run.state, player.run.taskIndex, player.effects], ["running", 1, ["send-task"]]);
  player.play(result("j.c:1:1", "done"));
  assert.equal(player.run.state, "done");
});

test("installer: killed at each step, the server goes on from the agent's report and orders the same key", () => {
  const fetching = (): Player => new Player().play(off, on("preboot", "p1"), { type: "session-started" });
  const again = fetching().play(restarted, on("preboot", "p1", { reports: [[taskKey, "running"]] }));
  assert.deepEqual(again.effects, ["join-session"]);
  // Killed before the result was stored: the agent tells it again.
  const told = fetching().play(restarted, on("preboot", "p1", { reports: [[taskKey, "done"]] }));
  assert.deepEqual([told.run.state, told.effects], ["installing", ["leave-session", "start-installer"]]);
  // Killed after it was stored and before the order left.
  const lost = new Player().started().play(restarted, on("preboot", "p1", { reports: [[taskKey, "done"]] }));
  const [order] = lost.last?.effects ?? [];
  assert.deepEqual(order, { type: "start-installer", computerId: "c", key: startKey });
  // Killed while the installer works.
  const away = new Player().started().play(gone, restarted);
  assert.equal(away.words, "Waiting for the installed system's agent.");
  assert.equal(away.play(on("os", "o1")).run.taskIndex, 1);
});

test("installer: an agent that dies while it fetches begins anew; after the start nothing is begun again", () => {
  const fetching = new Player().play(off, on("preboot", "p1"), { type: "session-started" }, gone);
  fetching.play(on("preboot", "p2"));
  assert.deepEqual(fetching.effects, ["leave-session", "join-session"]);
  assert.equal(fetching.startCount, 0);
  const back = new Player().started().play(gone, on("preboot", "p2"));
  assert.deepEqual([back.run.state, back.run.reason?.code], ["failed", "installer-interrupted"]);
  assert.match(back.run.reason?.text ?? "", /not known, so it is not started again/);
  assert.equal(back.startCount, 1);
  const killed = new Player().started().play(gone, restarted, on("preboot", "p3"));
  assert.equal(killed.run.reason?.code, "installer-interrupted");
});

test("installer: kexec that fails says why, at once or after a reconnection", () => {
  assert.equal(new Player().started().play(result(startKey, "failed")).run.reason?.text, "no room");
  const later = new Player().started().play(gone, on("preboot", "p1", { reports: [[startKey, "failed"]] }));
  assert.deepEqual([later.run.reason?.code, later.run.reason?.text], ["installer-not-started", "no room"]);
  const refused = new Player().play(off, on("preboot", "p1"), result(taskKey, "failed"));
  assert.deepEqual([refused.run.state, refused.run.reason?.code], ["failed", "task-failed"]);
});

test("installer: the old system that comes back is not taken for the new one", () => {
  const old = new Player().started("old").play(gone, on("os", "o1", { systemKey: "old" }));
  assert.equal(old.run.reason?.code, "installer-interrupted");
  assert.match(old.run.reason?.text ?? "", /did not replace that system/);
  assert.equal(new Player().started("old").play(gone, on("os", "o1", { systemKey: "new" })).run.taskIndex, 1);
});

test("installer: its time is over after what the task says, server starts in between or not", () => {
  for (const between of [[], [restarted]]) {
    const player = new Player().started().play(gone, ...between);
    player.wait();
    assert.equal(player.run.reason?.code, "installer-timed-out");
    assert.match(player.run.reason?.text ?? "", /did not connect within 120 min.*agentInstall/);
    assert.equal(player.nowMs, 1000 + timeoutMs);
  }
  const late = new Player().started().play(gone);
  late.nowMs += timeoutMs + 1;
  late.play(restarted);
  assert.equal(late.run.deadlineAtMs, late.nowMs + limits.reconnectMs, "agents have time to come back first");
});

test("installer: cancelled it is let work, which is said; a doubtful identity stops it only before its start", () => {
  const jobs = (player: Player) => new Map([["j", player.job]]);
  const fetching = new Player().play(off, on("preboot", "p1"), { type: "session-started" });
  assert.equal(runsToHold([fetching.run], jobs(fetching), "c").length, 1);
  const working = new Player().started();
  assert.equal(runsToHold([working.run], jobs(working), "c").length, 0);
  working.play({ type: "cancel", by: "anna" });
  assert.match(working.run.reason?.text ?? "", /works on unless somebody switches the computer off/);
  assert.deepEqual(working.effects, []);
});

test("installer: one that works is not waited for in the session of those who come later", () => {
  const { run, job } = new Player().started();
  const later: Run = { ...run, id: "j.d", computerId: "d", state: "joining" };
  assert.equal(expectedInSession(job, [run, later], later, 0), 1);
  assert.equal(expectedInSession(job, [run, later], later, 1), 2);
});

test("installer: a preview says that it erases, and where the computer is afterwards", () => {
  const { steps } = previewRun(new Player().job, {}, "os", 0);
  assert.deepEqual(
    steps.map(({ text, isDestructive }) => [text.slice(0, 40), isDestructive]),
    [
      ["restarts into preboot", false],
      ["starts the installer debian-12, which er", true],
      ["waits for the agent of the installed sys", false],
      ["runs a script of 1 lines with /bin/sh", false],
    ],
  );
});
