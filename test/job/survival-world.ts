import assert from "node:assert/strict";
import { plainJob, type Job, type Task } from "#engine/job/job.ts";
import { reduceRun } from "#engine/job/reduce-run.ts";
import type { RunEffect, RunEvent, TaskReport } from "#engine/job/run-event.ts";
import {
  type Connection,
  createRun,
  hasEnded,
  needsPreboot,
  nextTimerAtMs,
  type Run,
} from "#engine/job/run.ts";

/**
 * One computer, one server and the wire between them in virtual time. The server may be killed before it stores,
 * after it stored and before it acts, or between two effects; the computer may lose its power at any second.
 */
export type Disaster =
  | { readonly type: "kill-server"; readonly atEvent: number; readonly phase: 0 | 1 | 2 }
  | { readonly type: "cut-power"; readonly atMs: number };

type Agent = { environment: "preboot" | "os"; runId: string; tasks: Map<string, TaskReport> };

const bootMs = 30_000;
const imagingMs = 60_000;
const installingMs = 120_000;
const serverDownMs = 4_000;
const endOfTimeMs = 6 * 3_600_000;

export class World {
  nowMs = 0;
  run: Run;
  readonly scriptStarts: string[] = [];
  readonly imageStarts: string[] = [];
  /** Installers that took the computer over, by key. */
  readonly installerStarts: string[] = [];
  /** Packages and files that were begun, by key. */
  readonly contentStarts: string[] = [];
  disk: "old" | "half" | "image" = "old";
  /** Of the system on its disk, and of the one that the server let in last: it has had the old one's agent before. */
  #diskKey = "old";
  #knownKey = "old";
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
    const connection = agent === null ? null : this.#connectionOf(agent);
    this.#post({ type: "start", facts: {}, connection, reports: [...(agent?.tasks.values() ?? [])] });
  }

  #connectionOf({ environment, runId }: Agent): Connection {
    this.#knownKey = environment === "os" ? this.#diskKey : this.#knownKey;
    return { environment, agentRunId: runId, systemKey: this.#knownKey };
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
          this.#content(effect.taskKey, effect.task.kind === "deploy-installer" ? "preboot" : "os");
        }
        break;
      case "start-installer":
        this.#install(effect.key);
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
    this.#post({
      type: "connected",
      connection: this.#connectionOf(this.#agent),
      reports: [...this.#agent.tasks.values()],
    });
  }

  #loseAgent(): void {
    this.#powerSerial += 1;
    this.#agent = null;
    this.#isBooting = false;
    const wasLinked = this.#isLinked;
    this.#isLinked = false;
    if (wasLinked) {
      this.#post({ type: "disconnected" });
    }
  }

  #cutPower(): void {
    this.#loseAgent();
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

  /** A second later the agent is gone for good, and what follows is the installer's work. */
  #install(key: string): void {
    const agent = this.#agent;
    if (agent === null || !this.#isLinked || agent.tasks.has(key)) {
      return;
    }
    assert.equal(agent.environment, "preboot", "an installer is started in preboot only");
    agent.tasks.set(key, { key, outcome: "running", reason: null });
    this.#later(1_000, () => {
      if (this.#agent !== agent) {
        return;
      }
      this.installerStarts.push(key);
      this.disk = "half";
      this.#loseAgent();
      const serial = this.#powerSerial;
      this.#later(installingMs, () => {
        if (serial === this.#powerSerial) {
          this.disk = "image";
          this.#diskKey = "new";
          this.#boot();
        }
      });
    });
  }

  #restart(key: string): void {
    if (this.#isLinked && this.#agent?.tasks.has(key) === false) {
      this.#agent.tasks.set(key, { key, outcome: "running", reason: null });
      this.#later(1_000, () => this.#cutPower());
      this.#later(1_500, () => this.#boot());
    }
  }

  #content(key: string, environment: "preboot" | "os"): void {
    const agent = this.#agent;
    if (agent === null || !this.#isLinked || agent.tasks.has(key)) {
      return;
    }
    assert.equal(
      agent.environment,
      environment,
      "software is for the installed system, installers for preboot",
    );
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
