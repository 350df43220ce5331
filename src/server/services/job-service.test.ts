import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { pino } from "pino";
import { plainJob, type Task } from "#engine/job/job.ts";
import type { Run } from "#engine/job/run.ts";
import type { Clock } from "#platform/clock.ts";
import { openDatabase } from "#store/database.ts";
import { JobStore } from "#store/job-store.ts";
import { StoreError } from "#store/store-error.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { exactRestore } from "#wire/control/image-task-message.ts";
import type { Environment, ServerMessage, TaskReport } from "#wire/control/message.ts";
import type { ControlLink } from "./control-service.ts";
import { JobService, type JobServiceDependencies } from "./job-service.ts";

const deploy: Task = { kind: "deploy-image", imageId: "i1", imageName: "room", disk: "only-disk" };

/** Epoch time that a test moves by hand. Keyed by order of arming. BOUNDED by the test. */
class HandClock implements Clock {
  nowMs = 1_795_000_000_000;
  readonly #timers = new Set<{ atMs: number; callback: () => void }>();
  monotonicMs = (): number => this.nowMs;
  epochMs = (): number => this.nowMs;

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  advance(durationMs: number): void {
    this.nowMs += durationMs;
    for (const timer of this.#timers) {
      if (timer.atMs <= this.nowMs) {
        this.#timers.delete(timer);
        timer.callback();
      }
    }
  }
}

/** A service on a real SQLite file, with a world that writes down what it was asked for. */
class Ground {
  readonly clock = new HandClock();
  readonly asked: string[] = [];
  readonly links = new Map<string, ControlLink>();
  /** How many writes of a run the store refuses from now on. */
  refusals = 0;
  /** Questions to the store that have no answer yet. */
  #pendingCount = 0;
  jobs: JobService;
  readonly store: JobStore;

  constructor(store: JobStore) {
    this.store = store;
    this.jobs = new JobService(this.#dependencies());
  }

  #dependencies(): JobServiceDependencies {
    return {
      store: {
        insertJob: (job, assigning) => this.#count(this.store.insertJob(job, assigning)),
        assign: (jobId, assigning) => this.#count(this.store.assign(jobId, assigning)),
        listJobs: () => this.#count(this.store.listJobs()),
        listRuns: () => this.#count(this.store.listRuns()),
        putRun: (run, isStep) => this.#put(() => this.store.putRun(run, isStep)),
        putRunWithDeployment: (run, atMs) => this.#put(() => this.store.putRunWithDeployment(run, atMs)),
      },
      clock: this.clock,
      log: pino({ level: "silent" }),
      findLink: (id) => this.links.get(id) ?? null,
      captures: () => ({ begin: () => Promise.resolve(), end: () => undefined }),
      restoreOptions: () => exactRestore,
      factsOf: () => ({}),
      connectionOf: ({ environment, agentRunId }) => ({ environment, agentRunId }),
      renderInstaller: () => Promise.resolve({ commandLine: "", answers: null }),
      textsOf: (id) => ({ name: id, serial: "", mac: "" }),
      findUserData: () => Promise.resolve(null),
      keepUserData: () => Promise.resolve(),
      interfaceOf: () => null,
      transfers: {
        issue: () => Promise.resolve({ port: 1, ticket: "t" }),
        revoke: () => undefined,
      },
      imaging: () => ({
        join: async ({ taskKey, expected }) => {
          this.asked.push(`join ${taskKey} expected ${expected}, stored ${await this.#storedState(taskKey)}`);
        },
        leave: (_, id) => Promise.resolve(void this.asked.push(`leave ${id}`)),
        expect: (_, count) => Promise.resolve(void this.asked.push(`expect ${count}`)),
      }),
      wake: (id) => this.asked.push(`wake ${id}`),
      onChanged: () => undefined,
      onDeployed: (id) => this.asked.push(`deployed ${id}`),
    };
  }

  async #put(write: () => Promise<void>): Promise<void> {
    if (this.refusals > 0) {
      this.refusals -= 1;
      throw new StoreError("unavailable", "away");
    }
    await this.#count(write());
  }

  async #count<Value>(asking: Promise<Value>): Promise<Value> {
    this.#pendingCount += 1;
    try {
      return await asking;
    } finally {
      this.#pendingCount -= 1;
    }
  }

  async #storedState(taskKey: string): Promise<string> {
    const runs = await this.#count(this.store.listRuns());
    return runs.find((run) => taskKey.startsWith(`${run.id}:`))?.state ?? "nothing";
  }

  connect(computerId: string, environment: Environment, agentRunId: string, tasks: TaskReport[] = []): void {
    const address = Ipv4Address.parse("10.0.0.1");
    const link: ControlLink = {
      computerId,
      environment,
      agentRunId,
      address,
      serverAddress: address,
      serverPort: 402,
      interfaceName: null,
      connectedAtMs: 0,
      hello: {
        type: "hello",
        environment,
        agentRunId,
        tasks,
        probes: [],
        inventory: {} as ControlLink["hello"]["inventory"],
      },
      send: (message: ServerMessage) => {
        this.asked.push(message.type === "task" ? `${message.task.kind} ${message.key}` : message.type);
        return true;
      },
    };
    this.links.set(computerId, link);
    this.jobs.connected(link);
  }

  disconnect(computerId: string): void {
    this.links.delete(computerId);
    this.jobs.disconnected(computerId);
  }

  /** As kill -9 and a new start: memory is gone, the store is not. */
  async restart(): Promise<void> {
    this.jobs.stop();
    this.links.clear();
    this.jobs = new JobService(this.#dependencies());
    await this.jobs.start();
  }

  /** Until the store has answered everything and nothing follows from it: no other thing takes time here. */
  async quiet(): Promise<void> {
    for (let turnCount = 0; turnCount < 20; turnCount += 1) {
      await nextTurn();
      if (this.#pendingCount > 0) {
        turnCount = 0;
      }
    }
  }

  /** What was asked since the last call, once it is quiet. */
  async settled(): Promise<string[]> {
    await this.quiet();
    return this.asked.splice(0);
  }

  run(id: string): Run {
    const found = this.jobs.runsOf("j1").find((run) => run.computerId === id);
    assert.ok(found);
    return found;
  }
}

async function prepare(t: TestContext): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-jobs-"));
  const db = await openDatabase("sqlite:", folder);
  const ground = new Ground(new JobStore(db));
  await ground.jobs.start();
  t.after(async () => {
    ground.jobs.stop();
    await ground.quiet();
    await db.destroy();
    rmSync(folder, { recursive: true });
  });
  return ground;
}

test("a deployment of two computers is stored before each step, and done when both agents are back", async (t) => {
  const ground = await prepare(t);
  await ground.jobs.createJob(plainJob("j1", "room", [deploy], ground.clock.nowMs), ["a", "b"]);
  assert.deepEqual((await ground.settled()).sort(), ["wake a", "wake b"]);
  assert.equal(ground.jobs.hasPrebootWork("a"), true);
  assert.equal(ground.jobs.hasPrebootWork("stranger"), false);
  ground.connect("a", "preboot", "pa");
  ground.connect("b", "preboot", "pb");
  assert.deepEqual((await ground.settled()).sort(), [
    "join j1.a:0:1 expected 2, stored joining",
    "join j1.b:0:1 expected 2, stored joining",
  ]);
  for (const id of ["a", "b"]) {
    ground.jobs.agentMessage(id, { type: "task-result", key: `j1.${id}:0:1`, outcome: "done", reason: null });
  }
  const afterResult = await ground.settled();
  assert.deepEqual(afterResult.sort(), [
    "deployed a",
    "deployed b",
    "leave a",
    "leave b",
    "restart j1.a:restart:1",
    "restart j1.b:restart:1",
  ]);
  assert.equal(ground.jobs.hasPrebootWork("a"), false, "the next boot is from the new disk");
  ground.disconnect("a");
  ground.connect("a", "os", "oa");
  ground.disconnect("b");
  ground.connect("b", "os", "ob");
  await ground.settled();
  assert.deepEqual([ground.run("a").state, ground.run("b").state], ["done", "done"]);
  assert.deepEqual(
    (await ground.store.listRuns()).map(({ state }) => state),
    ["done", "done"],
  );
});

test("a server that was killed while imaging goes on, and gives nobody the task under a new key", async (t) => {
  const ground = await prepare(t);
  await ground.jobs.createJob(plainJob("j1", "room", [deploy], ground.clock.nowMs), ["a"]);
  ground.connect("a", "preboot", "pa");
  await ground.settled();
  ground.jobs.sessionEvent(["a"], { type: "session-started" });
  await ground.settled();
  await ground.restart();
  assert.deepEqual(await ground.settled(), [], "nothing is asked before the agent has spoken");
  assert.equal(ground.run("a").state, "imaging");
  assert.equal(ground.jobs.hasPrebootWork("a"), true);
  ground.connect("a", "preboot", "pa", [{ key: "j1.a:0:1", outcome: "running", reason: null }]);
  assert.deepEqual(await ground.settled(), ["join j1.a:0:1 expected 1, stored imaging"]);
});

test("a store that is away delays a result and does not lose it", async (t) => {
  const ground = await prepare(t);
  await ground.jobs.createJob(plainJob("j1", "room", [deploy], ground.clock.nowMs), ["a"]);
  ground.connect("a", "preboot", "pa");
  await ground.settled();
  ground.refusals = 2;
  ground.jobs.agentMessage("a", { type: "task-result", key: "j1.a:0:1", outcome: "done", reason: null });
  assert.deepEqual(await ground.settled(), [], "nothing is acted on that is not stored");
  ground.clock.advance(1000);
  assert.deepEqual(await ground.settled(), []);
  ground.clock.advance(1000);
  assert.deepEqual(await ground.settled(), ["deployed a", "leave a", "restart j1.a:restart:1"]);
});

test("a second job of a computer waits for the first, and time-outs come by themselves", async (t) => {
  const ground = await prepare(t);
  await ground.jobs.createJob(plainJob("j1", "room", [deploy], ground.clock.nowMs), ["a"]);
  await ground.jobs.createJob(plainJob("j2", "later", [{ kind: "restart" }], ground.clock.nowMs), ["a"]);
  assert.deepEqual(await ground.settled(), ["wake a"]);
  assert.equal(ground.jobs.runsOf("j2")[0]?.state, "queued");
  for (let minute = 0; minute < 11; minute += 1) {
    ground.clock.advance(60_000);
    await ground.quiet();
  }
  await ground.settled();
  assert.equal(ground.run("a").reason?.code, "no-boot-seen");
  assert.equal(ground.jobs.runsOf("j2")[0]?.state, "waking");
  await ground.jobs.cancel("j2", "anna");
  assert.equal(ground.jobs.runsOf("j2")[0]?.state, "cancelled");
});

test("a job that was done is done again when it is assigned again", async (t) => {
  const ground = await prepare(t);
  const restart: Task = { kind: "inventory" };
  await ground.jobs.createJob(plainJob("j1", "again", [restart], ground.clock.nowMs), ["a"]);
  ground.connect("a", "os", "oa");
  assert.deepEqual(await ground.settled(), ["wake a", "inventory j1.a:0:1"]);
  ground.jobs.agentMessage("a", { type: "task-result", key: "j1.a:0:1", outcome: "done", reason: null });
  await ground.settled();
  assert.equal(ground.run("a").state, "done");
  await ground.jobs.assign("j1", ["a"]);
  assert.deepEqual(await ground.settled(), ["inventory j1.a.2:0:1"]);
});
