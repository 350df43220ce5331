import assert from "node:assert/strict";
import { plainJob, type Job, type Task } from "#engine/job/job.ts";
import { reduceRun } from "#engine/job/reduce-run.ts";
import type { RunEffect, RunEvent, TaskReport } from "#engine/job/run-event.ts";
import { createRun, hasEnded, needsPreboot, nextTimerAtMs, type Run } from "#engine/job/run.ts";

/**
 * One computer, one server and the wire between them in virtual time. The server may be killed before it stores,
 * after it stored and before it acts, or between two effects; the computer may lose its power at any second.
 */
export type Disaster =
  | { readonly type: "kill-server"; readonly atEvent: number; readonly phase: 0 | 1 | 2 }
  | { readonly type: "cut-power"; readonly atMs: number };

type Agent = { environment: "preboot" | "os"; runId: string; tasks: Map<string, TaskReport> };

export const image: Task = {
  kind: "deploy-image",
  imageId: "i".repeat(64),
  imageName: "room",
  disk: "only-disk",
};
export const script: Task = {
  kind: "run-script",
  script: "true",
  interpreter: "/bin/sh",
  environment: "os",
  timeoutMs: 60_000,
};
const fileContent = { contentId: "f".repeat(64), sizeBytes: 1000 };
/** Every kind that this world knows: an image, a package, a failing script that jumps, waiting, a restart. */
export const wholeStory: readonly Task[] = [
  { kind: "wake" },
  image,
  { kind: "inventory" },
  {
    kind: "install-package",
    packageName: "tool",
    version: "1",
    packageKind: "deb",
    fileName: "tool.deb",
    args: [],
    detection: { type: "record" },
    timeoutMs: 60_000,
    content: fileContent,
  },
  {
    ...script,
    script: "exit 7",
    codes: [{ codes: { from: 7, to: 7 }, action: { type: "jump", taskName: "after" } }],
  },
  { ...script, script: "never" },
  { kind: "wait", durationMs: 45_000, name: "after" },
  {
    kind: "copy-file",
    content: fileContent,
    source: "f",
    destination: "/f",
    mode: null,
    environment: "os",
  },
  { kind: "restart" },
  script,
];
const bootMs = 30_000;
const imagingMs = 60_000;
const serverDownMs = 4_000;
const endOfTimeMs = 6 * 3_600_000;

export class World {
  nowMs = 0;
  run: Run;
  readonly scriptStarts: string[] = [];
  readonly imageStarts: string[] = [];
  /** Packages and files that were begun, by key. */
  readonly contentStarts: string[] = [];
  disk: "old" | "half" | "image" = "old";
  #stored: Run;
  #isServerUp = true;
  #agent: Agent | null = null;
  #isLinked = false;
  #powerSerial = 0;
  #eventCount = 0;
  #kills: (Disaster & { type: "kill-server" })[];
  #queue: { atMs: number; order: number; act: () => void }[] = [];
  #order = 0;
  readonly #job: Job;

  constructor(tasks: readonly Task[], disasters: readonly Disaster[], startsIn: "off" | "os") {
    this.#job = plainJob("j", "j", tasks, 0);
    this.run = createRun("j", "c", 0);
    this.#stored = this.run;
    this.#kills = disasters.filter((disaster) => disaster.type === "kill-server");
    for (const disaster of disasters) {
      if (disaster.type === "cut-power") {
        this.#later(disaster.atMs, () => this.#cutPower());
      }
    }
    if (startsIn === "os") {
      this.#startAgent("os");
      this.#isLinked = true;
    }
    this.#later(0, () => this.#start());
  }

  live(): World {
    while (this.#queue.length > 0 && this.nowMs < endOfTimeMs) {
      this.#queue.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      const next = this.#queue.shift();
      this.nowMs = next?.atMs ?? this.nowMs;
      next?.act();
      this.#afterEach();
      if (hasEnded(this.#stored) && this.#isServerUp) {
        break;
      }
    }
    return this;
  }

  #later(delayMs: number, act: () => void): void {
    this.#order += 1;
    this.#queue.push({ atMs: this.nowMs + delayMs, order: this.#order, act });
  }

  /** The service arms its timer after every event. */
  #afterEach(): void {
    const atMs = this.#isServerUp ? nextTimerAtMs(this.run) : null;
    if (atMs !== null) {
      this.#later(Math.max(1, atMs - this.nowMs), () => {
        const dueAtMs = nextTimerAtMs(this.run);
        if (this.#isServerUp && dueAtMs !== null && dueAtMs <= this.nowMs) {
          this.#post({ type: "timer" });
        }
      });
    }
  }

  #start(): void {
    const agent = this.#isLinked ? this.#agent : null;
    const connection = agent === null ? null : { environment: agent.environment, agentRunId: agent.runId };
    this.#post({ type: "start", facts: {}, connection, reports: [...(agent?.tasks.values() ?? [])] });
  }

  #post(event: RunEvent): void {
    if (!this.#isServerUp) {
      return;
    }
    this.#eventCount += 1;
    const kill = this.#kills.find(({ atEvent }) => atEvent === this.#eventCount);
    const step = reduceRun(this.#job, this.run, event, this.nowMs);
    if (kill?.phase === 0) {
      this.#killServer();
      return;
    }
    if (step.mustStore) {
      this.#stored = JSON.parse(JSON.stringify(step.run)) as Run;
    }
    this.run = step.run;
    const effects = kill === undefined ? step.effects : step.effects.slice(0, kill.phase - 1);
    for (const effect of effects) {
      this.#act(effect);
    }
    if (kill !== undefined) {
      this.#killServer();
    }
  }

  #killServer(): void {
    this.#isServerUp = false;
    this.#isLinked = false;
    this.#later(serverDownMs, () => {
      this.#isServerUp = true;
      this.run = this.#stored;
      if (this.run.state === "queued") {
        this.#start();
      } else {
        this.#post({ type: "server-restarted" });
      }
      this.#later(2_000, () => this.#connect());
    });
  }

  #act(effect: RunEffect): void {
    switch (effect.type) {
      case "wake":
        if (this.#agent === null && !this.#isBooting) {
          this.#boot();
        }
        break;
      case "request-restart":
        this.#restart(effect.key);
        break;
      case "join-session":
        if (effect.task.kind === "deploy-image") {
          this.#imaging(effect.taskKey);
        } else {
          this.#content(effect.taskKey);
        }
        break;
      case "send-task":
        if (effect.task.kind === "restart") {
          this.#restart(effect.key);
        } else {
          this.#script(effect.key, effect.task);
        }
        break;
      case "cancel-task":
      case "leave-session":
      case "end-upload":
      case "record-deployment":
        break;
    }
  }

  #isBooting = false;

  #boot(): void {
    const serial = this.#powerSerial;
    this.#isBooting = true;
    this.#later(bootMs, () => {
      if (serial !== this.#powerSerial) {
        return;
      }
      // Without an answer the firmware goes on to its disk.
      const isNetworkBoot = this.#isServerUp && needsPreboot(this.#job, this.run) && !hasEnded(this.run);
      if (isNetworkBoot) {
        this.#post({ type: "boot-offered" });
      }
      this.#later(bootMs, () => {
        if (serial !== this.#powerSerial) {
          return;
        }
        this.#isBooting = false;
        if (isNetworkBoot || this.disk !== "half") {
          this.#startAgent(isNetworkBoot ? "preboot" : "os");
          this.#connect();
        } else {
          // Nothing bootable: somebody presses the button again.
          this.#later(60_000, () => this.#cutPower());
        }
      });
    });
  }

  #startAgent(environment: "preboot" | "os"): void {
    this.#powerSerial += 1;
    this.#agent = { environment, runId: `p${this.#powerSerial}`, tasks: new Map() };
  }

  #connect(): void {
    if (this.#agent === null || !this.#isServerUp || this.#isLinked) {
      return;
    }
    this.#isLinked = true;
    const { environment, runId, tasks } = this.#agent;
    this.#post({
      type: "connected",
      connection: { environment, agentRunId: runId },
      reports: [...tasks.values()],
    });
  }

  #cutPower(): void {
    this.#powerSerial += 1;
    this.#agent = null;
    this.#isBooting = false;
    const wasLinked = this.#isLinked;
    this.#isLinked = false;
    if (wasLinked) {
      this.#post({ type: "disconnected" });
    }
    const serial = this.#powerSerial;
    this.#later(20_000, () => {
      if (serial === this.#powerSerial && this.#agent === null && !this.#isBooting) {
        this.#boot();
      }
    });
  }

  #imaging(key: string): void {
    const agent = this.#agent;
    if (agent === null || !this.#isLinked || agent.tasks.has(key)) {
      return;
    }
    assert.equal(agent.environment, "preboot", "an image is written in preboot only");
    const others = [...agent.tasks.values()].filter(({ outcome }) => outcome === "running");
    assert.deepEqual(others, [], "two destructive tasks never run at once");
    agent.tasks.set(key, { key, outcome: "running", reason: null });
    this.imageStarts.push(key);
    this.disk = "half";
    this.#later(1_000, () => this.#post({ type: "session-started" }));
    this.#later(imagingMs, () => {
      if (this.#agent === agent) {
        this.disk = "image";
        this.#finish(agent, key);
      }
    });
  }

  #restart(key: string): void {
    if (this.#isLinked && this.#agent?.tasks.has(key) === false) {
      this.#agent.tasks.set(key, { key, outcome: "running", reason: null });
      this.#later(1_000, () => this.#cutPower());
      this.#later(1_500, () => this.#boot());
    }
  }

  #content(key: string): void {
    const agent = this.#agent;
    if (agent === null || !this.#isLinked || agent.tasks.has(key)) {
      return;
    }
    assert.equal(agent.environment, "os", "software is for the installed system");
    agent.tasks.set(key, { key, outcome: "running", reason: null });
    this.contentStarts.push(key);
    this.#later(1_000, () => this.#post({ type: "session-started" }));
    this.#later(20_000, () => this.#finish(agent, key));
  }

  #script(key: string, task: Task): void {
    const agent = this.#agent;
    if (agent === null || !this.#isLinked || agent.tasks.has(key)) {
      return;
    }
    agent.tasks.set(key, { key, outcome: "running", reason: null });
    if (task.kind !== "run-script") {
      this.#later(500, () => this.#finish(agent, key));
      return;
    }
    assert.equal(agent.environment, "os");
    assert.notEqual(task.script, "never", "the task that is jumped over");
    this.scriptStarts.push(key);
    this.#later(10_000, () => this.#finish(agent, key, task.script === "exit 7" ? 7 : 0));
  }

  #finish(agent: Agent, key: string, exitCode = 0): void {
    if (this.#agent !== agent) {
      return;
    }
    const outcome = exitCode === 0 ? "done" : "failed";
    const reason = exitCode === 0 ? null : `exit code ${exitCode}`;
    agent.tasks.set(key, { key, outcome, reason, exitCode });
    if (this.#isLinked) {
      this.#post({ type: "task-result", key, outcome, reason, exitCode });
    }
  }
}
