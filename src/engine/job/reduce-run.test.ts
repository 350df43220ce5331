import assert from "node:assert/strict";
import { test } from "node:test";
import { plainJob, type Job, type Task } from "./job.ts";
import { reduceRun } from "./reduce-run.ts";
import type { RunEvent, RunStep } from "./run-event.ts";
import { defaultRunLimits as limits } from "./run-limits.ts";
import { createRun, needsPreboot, nextTimerAtMs, type Run } from "./run.ts";
import { expectedInSession, runsToStart } from "./schedule-runs.ts";
import { summariseJob, summariseRun } from "./summarise-job.ts";

const deploy: Task = { kind: "deploy-image", imageId: "i1", imageName: "room", disk: "only-disk" };
const script: Task = {
  kind: "run-script",
  script: "true",
  interpreter: "/bin/sh",
  environment: "os",
  timeoutMs: 60_000,
};

/** Plays events at virtual times and keeps the last step. */
class Player {
  run: Run;
  nowMs = 1000;
  last: RunStep | null = null;
  readonly job: Job;

  constructor(...tasks: Task[]) {
    this.job = plainJob("j", "j", tasks, 0);
    this.run = createRun("j", "c", 0);
  }

  play(...events: RunEvent[]): this {
    for (const event of events) {
      this.last = reduceRun(this.job, this.run, event, this.nowMs);
      this.run = this.last.run;
    }
    return this;
  }

  later(durationMs: number): this {
    this.nowMs += durationMs;
    return this;
  }

  /** Lets time pass, timer by timer, until the run is over or wants no timer. */
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
}

const off: RunEvent & { type: "start" } = { type: "start", facts: {}, connection: null, reports: [] };
const gone: RunEvent = { type: "disconnected" };
const restarted: RunEvent = { type: "server-restarted" };
const on = (
  environment: "preboot" | "os",
  agentRunId: string,
  reports: [string, "running" | "done" | "failed"][] = [],
): RunEvent => ({
  type: "connected",
  connection: { environment, agentRunId },
  reports: reports.map(([key, outcome]) => ({
    key,
    outcome,
    reason: outcome === "failed" ? "no disk" : null,
  })),
});
const progress = (doneBytes: number, key = "j.c:0:1", stage = "writing"): RunEvent => ({
  type: "task-progress",
  key,
  doneBytes,
  totalBytes: 1000,
  transport: "multicast",
  stage,
});
const result = (key: string, outcome: "done" | "failed" = "done"): RunEvent => ({
  type: "task-result",
  key,
  outcome,
  reason: outcome === "failed" ? "no disk" : null,
});

test("a deployment goes the whole way: wake, preboot, session, image, restart, agent in the OS", () => {
  const player = new Player(deploy).play(off);
  assert.deepEqual([player.run.state, player.effects], ["waking", ["wake"]]);
  player.later(limits.wakeAgainMs).play({ type: "timer" });
  assert.deepEqual(player.effects, ["wake"]);
  player.play(on("preboot", "p1"));
  assert.deepEqual([player.run.state, player.effects], ["joining", ["join-session"]]);
  player.play({ type: "session-joined", joined: 1, expected: 3 });
  assert.equal(player.last?.mustStore, false);
  assert.match(summariseRun(player.job, player.run, player.nowMs).reason ?? "", /1 of 3/);
  player.play({ type: "session-started" }, progress(100)).later(1000).play(progress(300));
  const summary = summariseRun(player.job, player.run, player.nowMs);
  assert.deepEqual(
    [summary.state, summary.percent, summary.rateBytesPerSecond, summary.timeLeftMs, summary.transport],
    ["imaging", 30, 200, 3500, "multicast"],
  );
  // Two reports at almost one time, and another stage, are not taken for a sudden speed.
  player
    .later(1)
    .play(progress(320))
    .later(1)
    .play(progress(0, "j.c:0:1", "verifying"));
  assert.equal(player.run.progress?.rateBytesPerSecond, 0);
  player.later(2).play(progress(400, "j.c:0:1", "verifying"));
  assert.equal(player.run.progress?.rateBytesPerSecond, 0);
  player.play(result("j.c:0:1"));
  assert.deepEqual(player.effects, ["record-deployment", "leave-session", "request-restart"]);
  assert.equal(player.run.target, "os");
  assert.equal(needsPreboot(player.job, player.run), false, "its next boot is from its disk");
  assert.equal(summariseRun(player.job, player.run, player.nowMs).percent, 99);
  player.play(gone, on("os", "p2"));
  assert.deepEqual([player.run.state, player.run.endedAtMs], ["done", player.nowMs]);
  assert.equal(summariseRun(player.job, player.run, player.nowMs).percent, 100);
});

test("every wait has an end, whose reason says what happened and what to look at", () => {
  const inSession = (): Player => new Player(deploy).play(off, on("preboot", "p1"));
  const cases: [Player, string, RegExp][] = [
    [new Player(deploy).play(off), "no-boot-seen", /no boot request was seen.*Wake-on-LAN.*DHCP relay/],
    [new Player(deploy).play(off, { type: "boot-offered" }), "boot-not-finished", /portolan boot events c/],
    [inSession(), "session-did-not-start", /imaging\.startCount/],
    [inSession().play({ type: "session-started" }, progress(420)), "no-progress", /42 %/],
    [
      inSession().play({ type: "session-started" }, progress(420), gone),
      "connection-lost",
      /42 %.*half written/,
    ],
    [inSession().play(result("j.c:0:1")), "no-agent-in-os", /restored and verified.*agent is installed/],
    [new Player(script).play(off), "no-agent-in-os", /did not connect within 15 min/],
    [new Player(script).play(off, on("os", "p1")), "script-timed-out", /within 60 s/],
    [new Player(script).play(off, on("os", "p1"), gone), "connection-lost", /away for 5 min/],
  ];
  for (const [player, code, text] of cases) {
    player.wait();
    assert.equal(player.run.state, "failed");
    assert.equal(player.run.reason?.code, code);
    assert.match(player.run.reason?.text ?? "", text);
    assert.equal(nextTimerAtMs(player.run), null);
  }
});

test("a computer that keeps coming up in the wrong system is given up after three restarts", () => {
  const player = new Player(deploy).play({ ...off, connection: { environment: "os", agentRunId: "a0" } });
  assert.deepEqual(player.effects, ["request-restart"]);
  player.play(gone, on("os", "a1"), gone, on("os", "a2"));
  assert.equal(player.run.state, "restarting");
  player.play(gone, on("os", "a3"));
  assert.equal(player.run.reason?.code, "wrong-environment");
  assert.match(player.run.reason?.text ?? "", /network boot/);
});

test("boot requests give a slow boot its time again, but not for ever", () => {
  const player = new Player(deploy).play(off);
  for (let count = 0; count < limits.bootOffersMax; count += 1) {
    player.later(limits.prebootMs - 1).play({ type: "boot-offered" });
    assert.equal(player.last?.ignored, null);
  }
  player.later(limits.prebootMs - 1).play({ type: "boot-offered" });
  assert.equal(player.last?.ignored, "no-use");
  assert.equal(player.wait().run.reason?.code, "boot-not-finished");
});

test("after the server's death the agent's report decides: nothing destructive is begun again", () => {
  const imaging = (): Player =>
    new Player(deploy).play(off, on("preboot", "p1"), { type: "session-started" }, progress(500), restarted);
  const stillAtIt = imaging().play(on("preboot", "p1", [["j.c:0:1", "running"]]));
  assert.deepEqual(
    stillAtIt.last?.effects.map((effect) =>
      effect.type === "join-session" ? effect.isResumed : effect.type,
    ),
    [true],
  );
  const finished = imaging().play(on("preboot", "p1", [["j.c:0:1", "done"]]));
  assert.deepEqual(finished.effects, ["record-deployment", "leave-session", "request-restart"]);
  const failed = imaging().play(on("preboot", "p1", [["j.c:0:1", "failed"]]));
  assert.deepEqual([failed.run.state, failed.run.reason?.text], ["failed", "no disk"]);
  const never = imaging().play(on("preboot", "p1"));
  assert.deepEqual(
    never.last?.effects.map((effect) => ("taskKey" in effect ? effect.taskKey : "")),
    ["j.c:0:1"],
  );
});

test("a computer that lost its power while imaging begins a new attempt, once it is in preboot", () => {
  const player = new Player(deploy).play(off, on("preboot", "p1"), { type: "session-started" }, gone);
  player.play(on("os", "p2"));
  assert.deepEqual(player.effects, ["leave-session", "request-restart"], "not in the OS");
  player.play(gone, on("preboot", "p3"));
  assert.deepEqual(
    player.last?.effects.map((effect) => ("taskKey" in effect ? effect.taskKey : "")),
    ["j.c:0:2"],
  );
  player.play(result("j.c:0:1"));
  assert.equal(player.last?.ignored, "stale-key", "the old attempt's words count no more");
  player.play(gone, on("preboot", "p4"), gone, on("preboot", "p5"));
  assert.equal(player.run.reason?.code, "too-many-attempts");
});

test("a script whose computer began anew is not run twice", () => {
  const player = new Player(script).play(off, on("os", "p1"), gone, on("os", "p2"));
  assert.equal(player.run.reason?.code, "outcome-unknown");
  const sameProcess = new Player(script).play(off, on("os", "p1"), gone, on("os", "p1"));
  assert.deepEqual(sameProcess.effects, ["send-task"], "the same process never received it");
});

test("restart and power-off are done when the computer has gone, not when its agent says that it goes", () => {
  const restart = new Player({ kind: "restart" }).play(off, on("os", "p1"), result("j.c:0:1"));
  assert.equal(restart.run.state, "running");
  restart.play(gone, on("os", "p2"));
  assert.equal(restart.run.state, "done");
  const powerOff = new Player({ kind: "power-off" }).play(off, on("os", "p1"), result("j.c:0:1"), gone);
  assert.equal(powerOff.run.state, "running");
  assert.equal(powerOff.wait().run.state, "done");
});

test("cancelling stops the agent and the session, and says what became of the disk", () => {
  const player = new Player(deploy).play(off, on("preboot", "p1"), { type: "session-started" });
  player.play({ type: "cancel", by: "anna\n" });
  assert.deepEqual(player.effects, ["cancel-task", "leave-session"]);
  assert.equal(player.run.state, "cancelled");
  assert.match(player.run.reason?.text ?? "", /Cancelled by anna .*half written/);
  player.play(result("j.c:0:1"));
  assert.equal(player.last?.ignored, "run-is-over");
});

test("one run at a time for each computer, in the order of assignment", () => {
  const jobs = new Map(["j1", "j2"].map((id) => [id, plainJob(id, id, [deploy], 0)]));
  const toStart = (...runs: Run[]): readonly Run[] => runsToStart(runs, jobs, 100).runs;
  const first = createRun("j1", "a", 5);
  const second = createRun("j2", "a", 6);
  const other = createRun("j1", "b", 5);
  assert.deepEqual(toStart(second, first, other), [first, other]);
  const begun: Run = { ...second, state: "waking" };
  assert.deepEqual(toStart(first, begun), [], "what has begun is finished first");
  assert.deepEqual(toStart({ ...first, state: "failed" }, second), [second]);
});

test("a job starts as many runs as it allows, and one that may not start yet holds nobody up", () => {
  const narrow: Job = { ...plainJob("narrow", "narrow", [deploy], 0), concurrency: 2 };
  const nights = [{ days: [0, 1, 2, 3, 4, 5, 6], fromMinute: 22 * 60, toMinute: 23 * 60, timeZone: "UTC" }];
  const nightly: Job = { ...plainJob("nightly", "nightly", [deploy], 0), windows: nights };
  const jobs = new Map([narrow, nightly].map((job) => [job.id, job]));
  const waiting = createRun("nightly", "a", 1);
  const runs = [
    waiting,
    createRun("narrow", "a", 2),
    createRun("narrow", "b", 3),
    createRun("narrow", "c", 4),
    { ...createRun("nightly", "d", 5), notBeforeAtMs: 90_000_000 },
  ];
  const noon = runsToStart(runs, jobs, 12 * 3_600_000);
  assert.deepEqual(
    noon.runs.map(({ id }) => id),
    ["narrow.a", "narrow.b"],
  );
  assert.equal(noon.againAtMs, 22 * 3_600_000);
  const night = runsToStart(runs, jobs, 22 * 3_600_000);
  assert.deepEqual(
    night.runs.map(({ id }) => id),
    ["nightly.a", "narrow.b", "narrow.c"],
  );
  assert.equal(night.againAtMs, 90_000_000, "deferred beyond this window");
});

test("a session waits for everyone who may still come, and a job is what its runs are", () => {
  const job = plainJob("j", "j", [deploy], 0);
  const run = createRun("j", "a", 0);
  const runs: Run[] = [
    run,
    { ...run, state: "failed" },
    { ...run, state: "running", taskIndex: 1 },
    { ...run, state: "joining" },
    { ...run, state: "joining", conditionIndex: 0 },
    { ...run, state: "joining", occurrence: 2 },
    { ...run, jobId: "other" },
  ];
  assert.equal(expectedInSession(job, runs, run, 0), 2);
  assert.equal(expectedInSession({ ...job, concurrency: 1 }, runs, run, 0), 1, "queued ones cannot come");
  const stateOf = (...states: Run["state"][]): string =>
    summariseJob(
      states.map((state) => ({ ...run, state })),
      false,
    );
  assert.equal(summariseJob(runs, true), "running");
  assert.equal(stateOf("done", "failed"), "failed");
  assert.equal(stateOf("done", "cancelled"), "done");
  assert.equal(stateOf("done", "skipped"), "done");
  assert.equal(stateOf("cancelled"), "cancelled");
  assert.equal(summariseJob([{ ...run, state: "done" }], true), "scheduled");
});
