import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFactTest } from "./condition.ts";
import { plainJob, type Job, type Task } from "./job.ts";
import { reduceRun } from "./reduce-run.ts";
import type { RunEvent, RunStep } from "./run-event.ts";
import { defaultRunLimits as limits } from "./run-limits.ts";
import { createRun, needsPreboot, nextTimerAtMs, tasksOf, type Run } from "./run.ts";

const script = (name: string, rules: Partial<Task> = {}): Task => ({
  ...{ kind: "run-script", script: name, interpreter: "/bin/sh", environment: "os", timeoutMs: 60_000 },
  name,
  ...(rules as object),
});
const big = { contentId: "c".repeat(64), sizeBytes: 200 << 20 };
const install: Task = {
  kind: "install-package",
  packageName: "tool",
  version: "1",
  packageKind: "bundle",
  fileName: "tool.tar",
  args: [],
  detection: { type: "record" },
  timeoutMs: 600_000,
  content: big,
};

/** One run in virtual time. */
class Player {
  run: Run = createRun("j", "c", 0);
  nowMs = 1000;
  last: RunStep | null = null;
  readonly job: Job;

  constructor(job: Partial<Job>) {
    this.job = { ...plainJob("j", "j", [], 0), ...job };
  }

  play(...events: RunEvent[]): this {
    for (const event of events) {
      this.last = reduceRun(this.job, this.run, event, this.nowMs);
      this.run = this.last.run;
    }
    return this;
  }

  start(facts = {}): this {
    const connection = { environment: "os", agentRunId: "a1" } as const;
    return this.play({ type: "start", facts, connection, reports: [] });
  }

  end(exitCode: number | null): this {
    const key = this.key;
    return this.play({
      type: "task-result",
      key,
      outcome: exitCode === 0 ? "done" : "failed",
      reason: exitCode === 0 ? null : `exit code ${exitCode}`,
      ...(exitCode === null ? {} : { exitCode }),
    });
  }

  timer(): this {
    this.nowMs = nextTimerAtMs(this.run) ?? this.nowMs;
    return this.play({ type: "timer" });
  }

  /** Key of the task handed over last. */
  get key(): string {
    const effect = this.last?.effects.find(({ type }) => type === "send-task" || type === "join-session");
    assert.ok(effect !== undefined && (effect.type === "send-task" || effect.type === "join-session"));
    return effect.type === "send-task" ? effect.key : effect.taskKey;
  }

  get taskName(): string {
    return tasksOf(this.job, this.run)[this.run.taskIndex]?.name ?? "none";
  }
}

test("conditions: the first that holds gives the tasks, else the job's own, else the run is skipped and says so", () => {
  const conditions = [
    {
      name: "thin",
      when: [[{ fact: "memoryBytes", test: parseFactTest("< 4 GiB") }]],
      tasks: [script("thin")],
    },
    { name: "any x1", when: [[{ fact: "model", test: parseFactTest("*x1*") }]], tasks: [script("x1")] },
  ] as const;
  const job = { conditions, tasks: [script("rest")] };
  assert.equal(new Player(job).start({ memoryBytes: 2 ** 30, model: "X1" }).taskName, "thin");
  assert.equal(new Player(job).start({ memoryBytes: 2 ** 34, model: "a X1" }).taskName, "x1");
  assert.equal(new Player(job).start({}).taskName, "rest");
  const skipped = new Player({ conditions }).start({}).run;
  assert.equal(skipped.state, "skipped");
  assert.equal(skipped.reason?.code, "no-condition");
});

test("return codes: a failing task jumps to the task that its code names, under new keys, and the job goes on there", () => {
  const tasks = [
    script("first", { codes: [{ codes: { from: 7, to: 7 }, action: { type: "jump", taskName: "repair" } }] }),
    script("never"),
    script("repair", { codes: [{ codes: { from: 0, to: 0 }, action: { type: "jump", taskName: "first" } }] }),
  ];
  const player = new Player({ tasks }).start();
  assert.equal(player.key, "j.c:0:1");
  player.end(7);
  assert.equal(player.taskName, "repair");
  assert.equal(player.key, "j.c:2:1.1");
  assert.equal(player.run.exitCode, 7);
  player.end(0);
  assert.equal(player.key, "j.c:0:1.2", "the same task again has another key");
  player.play({ type: "task-result", key: "j.c:0:1", outcome: "done", reason: null });
  assert.equal(player.last?.ignored, "stale-key");
});

test("return codes: end is done before the last task, stop is failed with a reason, a circle comes to an end", () => {
  const rule = (type: "end" | "stop"): Task[] => [
    script("a", { codes: [{ codes: { from: 0, to: 3 }, action: { type } }] }),
    script("b"),
  ];
  assert.equal(new Player({ tasks: rule("end") }).start().end(3).run.state, "done");
  const stopped = new Player({ tasks: rule("stop") }).start().end(0).run;
  assert.equal(stopped.state, "failed");
  assert.match(stopped.reason?.text ?? "", /code 0, which stops/);
  const circle = [script("a", { codes: [{ codes: "other", action: { type: "jump", taskName: "a" } }] })];
  const player = new Player({ tasks: circle }).start();
  for (let count = 0; count <= limits.jumpsMax && player.run.state !== "failed"; count += 1) {
    player.end(1);
  }
  assert.equal(player.run.reason?.code, "too-many-jumps");
});

test("retry: each pause is twice as long, each attempt has its key, and the last failure is the run's", () => {
  const player = new Player({ tasks: [script("a", { retry: { attempts: 3, delayMs: 10_000 } })] }).start();
  player.end(1);
  assert.equal(player.run.state, "waiting");
  assert.equal(player.run.resumeAtMs, player.nowMs + 10_000);
  player.play({ type: "timer" });
  assert.equal(player.last?.ignored, "nothing-due");
  player.timer();
  assert.equal(player.key, "j.c:0:2");
  player.end(2);
  assert.equal(player.run.resumeAtMs, player.nowMs + 20_000);
  player.timer().end(3);
  assert.equal(player.run.state, "failed");
  assert.equal(player.run.reason?.text, "exit code 3");
});

test("wait, windows and defer: tasks begin when their time has come, and a restarted server knows it still", () => {
  const window = { days: [0, 1, 2, 3, 4, 5, 6], fromMinute: 60, toMinute: 120, timeZone: "UTC" };
  const tasks: Task[] = [{ kind: "wait", durationMs: 1800_000 }, script("a"), script("b")];
  const player = new Player({ tasks, windows: [window] });
  player.nowMs = 90 * 60_000;
  player.start();
  assert.equal(player.run.waitFor, "wait-task");
  player.play(
    { type: "server-restarted" },
    { type: "connected", connection: { environment: "os", agentRunId: "a1" }, reports: [] },
  );
  player.timer();
  assert.equal(player.run.waitFor, "window", "half an hour later the window is closed");
  assert.equal(player.run.resumeAtMs, 25 * 3_600_000);
  player.timer();
  assert.equal(player.taskName, "a");
  player.play({ type: "defer", untilMs: player.nowMs + 60_000 });
  assert.equal(player.run.state, "running", "what runs goes on");
  player.play({ type: "task-result", key: "j.c:1:1", outcome: "done", reason: null });
  assert.equal(player.run.waitFor, "deferred");
  player.timer();
  assert.equal(player.key, "j.c:2:1");
});

test("a computer that is off when its pause is over is woken", () => {
  const player = new Player({ tasks: [{ kind: "wait", durationMs: 1000 }, script("a")] }).start();
  player.play({ type: "disconnected" }).timer();
  assert.equal(player.run.state, "waking");
  assert.equal(new Player({ tasks: [{ kind: "wake" }, script("a")] }).start().taskName, "a");
});

test("a package goes through a session, an installer may work in silence, and its end ends the session", () => {
  const player = new Player({ tasks: [install, script("a")] }).start();
  assert.equal(player.run.state, "joining");
  assert.equal(needsPreboot(player.job, player.run), false, "packages are for the installed system");
  const { key } = player;
  player.play({ type: "session-started" });
  const progress = { type: "task-progress", key, totalBytes: 10 } as const;
  player.play({ ...progress, doneBytes: 5, transport: "multicast", stage: "receiving" });
  assert.equal(player.run.deadlineAtMs, player.nowMs + limits.stallMs);
  player.play({ ...progress, doneBytes: 10, transport: null, stage: "installing" });
  assert.equal(player.run.deadlineAtMs, player.nowMs + 600_000 + limits.scriptGraceMs);
  player.play({ type: "task-result", key, outcome: "done", reason: null, exitCode: 0 });
  assert.deepEqual(
    player.last?.effects.map(({ type }) => type),
    ["leave-session", "send-task"],
  );
});

test("a small file is for its computer alone, a large one is shared by those with the same tasks", () => {
  const keyFor = (sizeBytes: number): string => {
    const copy: Task = {
      ...{ kind: "copy-file", source: "s", destination: "/d", mode: null, environment: "os" },
      content: { contentId: "x", sizeBytes },
    };
    const effect = new Player({ tasks: [copy] }).start().last?.effects[0];
    return effect?.type === "join-session" ? effect.sessionKey : "none";
  };
  assert.equal(keyFor(1000), "j:1:-:0:c");
  assert.equal(keyFor(1 << 30), "j:1:-:0");
});

test("after a restart in the middle, what is repeatable is begun again and a script is not", () => {
  const again = {
    type: "connected",
    connection: { environment: "os", agentRunId: "a2" },
    reports: [],
  } as const;
  const gone = { type: "disconnected" } as const;
  const packaged = new Player({ tasks: [install] }).start().play(gone, again);
  assert.equal(packaged.key, "j.c:0:2");
  const once = new Player({ tasks: [script("a")] }).start().play(gone, again);
  assert.equal(once.run.reason?.code, "outcome-unknown");
  const marked = new Player({ tasks: [{ ...script("a"), isRepeatable: true } as Task] }).start();
  assert.equal(marked.play(gone, again).key, "j.c:0:2");
});

test("a script that is still at work when its connection is back has its whole time again", () => {
  const player = new Player({ tasks: [script("a")] }).start();
  const { key } = player;
  player.play({ type: "disconnected" });
  player.nowMs += 30_000;
  const connection = { environment: "os", agentRunId: "a1" } as const;
  player.play({ type: "connected", connection, reports: [{ key, outcome: "running", reason: null }] });
  assert.equal(player.run.deadlineAtMs, player.nowMs + 60_000 + limits.scriptGraceMs);
});
