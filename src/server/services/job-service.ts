import type { Logger } from "pino";
import { type Job, type RestoreRequest, sessionKeyOf, type Task } from "#engine/job/job.ts";
import { reduceRun } from "#engine/job/reduce-run.ts";
import type { RunEffect, RunEvent } from "#engine/job/run-event.ts";
import { createRun, hasEnded, needsPreboot, nextTimerAtMs, type Run } from "#engine/job/run.ts";
import { expectedInSession, runsToStart } from "#engine/job/schedule-runs.ts";
import type { Clock } from "#platform/clock.ts";
import type { JobStore } from "#store/job-store.ts";
import { StoreError } from "#store/store-error.ts";
import type { RestoreOptions } from "#wire/control/image-task-message.ts";
import type { HelloMessage, ServerMessage } from "#wire/control/message.ts";
import type { ControlLink } from "./control-service.ts";
import type { CaptureService } from "./capture-service.ts";
import type { ImagingService } from "./imaging-service.ts";

export type JobServiceDependencies = {
  readonly store: Pick<JobStore, "insertJob" | "putRun" | "putRunWithDeployment" | "listJobs" | "listRuns">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly findLink: (computerId: string) => ControlLink | null;
  readonly imaging: () => Pick<ImagingService, "join" | "leave" | "expect">;
  readonly captures: () => Pick<CaptureService, "begin" | "end">;
  /** What one computer is to do with an image beyond writing it. */
  readonly restoreOptions: (request: RestoreRequest | undefined, computerId: string) => RestoreOptions;
  readonly wake: (computerId: string) => void;
  /** A run began, ended, or changed what its computer has to boot. */
  readonly onChanged: (computerId: string, jobId: string) => void;
  readonly onDeployed: (computerId: string, atMs: number) => void;
};

const storeRetryDelayMs = 1000;

/** Joins the job engine to the store and the world: one event at a time for each run, stored before it is acted on. */
export class JobService {
  readonly #dependencies: JobServiceDependencies;
  /** Keyed by job id. BOUNDED by the jobs of the site. */
  readonly #jobs = new Map<string, Job>();
  /** Keyed by run id. BOUNDED by jobs × computers. */
  readonly #runs = new Map<string, Run>();
  /** Last promise of each run's queue, keyed by run id. BOUNDED by unfinished runs. */
  readonly #queues = new Map<string, Promise<void>>();
  #cancelTimer: () => void = () => undefined;
  #isStopped = false;

  constructor(dependencies: JobServiceDependencies) {
    this.#dependencies = dependencies;
  }

  /** Reads unfinished runs and goes on with them. */
  async start(): Promise<void> {
    for (const job of await this.#dependencies.store.listJobs()) {
      this.#jobs.set(job.id, job);
    }
    for (const run of await this.#dependencies.store.listRuns()) {
      this.#runs.set(run.id, run);
    }
    for (const run of this.#runs.values()) {
      if (!hasEnded(run) && run.state !== "queued") {
        await this.#post(run.id, { type: "server-restarted" });
      }
    }
    this.#startQueued();
    this.#armTimer();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer();
  }

  listJobs(): readonly Job[] {
    return [...this.#jobs.values()].toSorted((a, b) => b.createdAtMs - a.createdAtMs);
  }

  findJob(id: string): Job | null {
    return this.#jobs.get(id) ?? null;
  }

  runsOf(jobId: string): readonly Run[] {
    return [...this.#runs.values()].filter((run) => run.jobId === jobId);
  }

  hasPrebootWork(computerId: string): boolean {
    for (const run of this.#runs.values()) {
      const job = this.#jobs.get(run.jobId);
      if (run.computerId === computerId && !hasEnded(run) && job !== undefined && needsPreboot(job, run)) {
        return true;
      }
    }
    return false;
  }

  async createJob(
    id: string,
    name: string,
    tasks: readonly Task[],
    computerIds: readonly string[],
  ): Promise<Job> {
    const nowMs = this.#dependencies.clock.epochMs();
    const job: Job = { id, name, tasks, createdAtMs: nowMs };
    const runs = computerIds.map((computerId) => createRun(id, computerId, nowMs));
    await this.#dependencies.store.insertJob(job, runs);
    this.#jobs.set(id, job);
    for (const run of runs) {
      this.#runs.set(run.id, run);
    }
    this.#startQueued();
    return job;
  }

  async assign(jobId: string, computerIds: readonly string[]): Promise<void> {
    const nowMs = this.#dependencies.clock.epochMs();
    for (const computerId of computerIds) {
      const run = createRun(jobId, computerId, nowMs);
      if (!this.#runs.has(run.id)) {
        await this.#dependencies.store.putRun(run);
        this.#runs.set(run.id, run);
      }
    }
    this.#startQueued();
  }

  async cancel(jobId: string, by: string): Promise<void> {
    await Promise.all(this.runsOf(jobId).map((run) => this.#post(run.id, { type: "cancel", by })));
  }

  connected(link: ControlLink): void {
    const { environment, agentRunId } = link;
    const connection = { environment, agentRunId };
    this.#postAll(link.computerId, { type: "connected", connection, reports: link.hello.tasks });
  }

  disconnected(computerId: string): void {
    this.#postAll(computerId, { type: "disconnected" });
  }

  bootOffered(computerId: string): void {
    this.#postAll(computerId, { type: "boot-offered" });
  }

  agentMessage(
    computerId: string,
    message: Extract<RunEvent, { readonly type: "task-progress" | "task-result" }>,
  ): void {
    this.#postAll(computerId, message);
  }

  sessionEvent(
    computerIds: readonly string[],
    event: Extract<RunEvent, { readonly type: "session-joined" | "session-started" | "session-failed" }>,
  ): void {
    for (const computerId of computerIds) {
      this.#postAll(computerId, event);
    }
  }

  #postAll(computerId: string, event: RunEvent): void {
    for (const run of this.#runs.values()) {
      // A queued run too: its start may be on the way to the store, and this event comes after it.
      if (run.computerId === computerId && !hasEnded(run)) {
        this.#post(run.id, event).catch((error: unknown) => this.#fail(run.id, error));
      }
    }
  }

  #startQueued(): void {
    for (const run of runsToStart(this.#runs.values())) {
      const link = this.#dependencies.findLink(run.computerId);
      const connection =
        link === null ? null : { environment: link.environment, agentRunId: link.agentRunId };
      const reports: HelloMessage["tasks"] = link?.hello.tasks ?? [];
      this.#post(run.id, { type: "start", connection, reports }).catch((error: unknown) =>
        this.#fail(run.id, error),
      );
    }
  }

  /** In order for each run, so that an event never meets a state that is not stored yet. */
  #post(runId: string, event: RunEvent): Promise<void> {
    const before = this.#queues.get(runId) ?? Promise.resolve();
    const after = before.then(() => this.#apply(runId, event));
    this.#queues.set(
      runId,
      after.catch((error: unknown) => this.#fail(runId, error)),
    );
    return after;
  }

  async #apply(runId: string, event: RunEvent): Promise<void> {
    const run = this.#runs.get(runId);
    const job = run === undefined ? undefined : this.#jobs.get(run.jobId);
    if (run === undefined || job === undefined || this.#isStopped) {
      return;
    }
    const nowMs = this.#dependencies.clock.epochMs();
    const step = reduceRun(job, run, event, nowMs);
    if (step.ignored !== null) {
      return;
    }
    const next = { ...step.run, updatedAtMs: nowMs, endedAtMs: hasEnded(step.run) ? nowMs : null };
    if (step.mustStore && !(await this.#store(next, step.effects, nowMs))) {
      return;
    }
    this.#runs.set(runId, next);
    this.#dependencies.log.debug({ runId, event: event.type, state: next.state }, "run");
    this.#dependencies.onChanged(next.computerId, next.jobId);
    for (const effect of step.effects) {
      await this.#act(job, effect);
    }
    if (hasEnded(next)) {
      this.#queues.delete(runId);
      this.#dependencies.captures().end(next.computerId);
      await this.#expectFewer(job);
      this.#startQueued();
    }
    this.#armTimer();
  }

  /**
   * Waits for the store as long as it takes: an event that was dropped, such as a result, never comes again.
   *
   * @returns false when the service was stopped before it could be stored.
   */
  async #store(run: Run, effects: readonly RunEffect[], nowMs: number): Promise<boolean> {
    const { store, clock, log, onDeployed } = this.#dependencies;
    const isDeployment = effects.some((effect) => effect.type === "record-deployment");
    while (!this.#isStopped) {
      try {
        await (isDeployment ? store.putRunWithDeployment(run, nowMs) : store.putRun(run));
        if (isDeployment) {
          onDeployed(run.computerId, nowMs);
        }
        return true;
      } catch (error) {
        if (!(error instanceof StoreError && error.isPassing)) {
          throw error;
        }
        log.warn({ err: error, runId: run.id }, "the store is away; the run waits for it");
        await new Promise<void>((resolve) => {
          clock.after(storeRetryDelayMs, resolve);
        });
      }
    }
    return false;
  }

  /** Those who wait in a session need not wait for a run that is over. */
  async #expectFewer(job: Job): Promise<void> {
    for (const [taskIndex, task] of job.tasks.entries()) {
      if (task.kind === "deploy-image") {
        const count = expectedInSession(job, this.runsOf(job.id), taskIndex);
        await this.#dependencies.imaging().expect(sessionKeyOf(job.id, taskIndex), count);
      }
    }
  }

  async #act(job: Job, effect: RunEffect): Promise<void> {
    switch (effect.type) {
      case "wake":
        this.#dependencies.wake(effect.computerId);
        break;
      case "send-task":
        await this.#sendTask(effect);
        break;
      case "cancel-task":
        this.#send(effect.computerId, { type: "cancel-task", key: effect.key });
        break;
      case "request-restart":
        this.#send(effect.computerId, { type: "task", key: effect.key, task: { kind: "restart" } });
        break;
      case "join-session": {
        const taskIndex = Number(effect.sessionKey.split(":").at(-1));
        const task = job.tasks[taskIndex];
        const { sessionKey, computerId, taskKey, imageId, isResumed } = effect;
        await this.#dependencies.imaging().join({
          sessionKey,
          computerId,
          taskKey,
          contentId: imageId,
          isResumed,
          toTask: (transfer) => ({
            kind: "deploy-image",
            imageId,
            disk: task?.kind === "deploy-image" ? task.disk : "only-disk",
            options: this.#dependencies.restoreOptions(
              task?.kind === "deploy-image" ? task.options : undefined,
              computerId,
            ),
            transfer,
          }),
          expected: expectedInSession(job, this.runsOf(job.id), taskIndex),
        });
        break;
      }
      case "leave-session":
        await this.#dependencies.imaging().leave(effect.sessionKey, effect.computerId);
        break;
      case "record-deployment":
        break;
    }
  }

  async #sendTask({ computerId, key, task }: RunEffect & { readonly type: "send-task" }): Promise<void> {
    if (task.kind === "capture-image") {
      const { imageName, disk, isForced } = task;
      await this.#dependencies.captures().begin({ computerId, key, imageName, disk, isForced });
    } else {
      this.#send(computerId, toTaskMessage(key, task));
    }
  }

  /** Without a connection nothing is sent; when the agent is back its reports bring the run to the same point. */
  #send(computerId: string, message: ServerMessage): void {
    this.#dependencies.findLink(computerId)?.send(message);
  }

  #armTimer(): void {
    this.#cancelTimer();
    const { clock } = this.#dependencies;
    const due = [...this.#runs.values()].map((run) => nextTimerAtMs(run)).filter((atMs) => atMs !== null);
    if (due.length === 0 || this.#isStopped) {
      return;
    }
    const delayMs = Math.min(Math.max(50, Math.min(...due) - clock.epochMs()), 60_000);
    this.#cancelTimer = clock.after(delayMs, () => {
      const nowMs = clock.epochMs();
      for (const run of this.#runs.values()) {
        const atMs = nextTimerAtMs(run);
        if (atMs !== null && atMs <= nowMs) {
          this.#post(run.id, { type: "timer" }).catch((error: unknown) => this.#fail(run.id, error));
        }
      }
      this.#armTimer();
    });
  }

  #fail(runId: string, error: unknown): void {
    this.#dependencies.log.error(
      { err: error, runId },
      "a run could not be taken further; it is tried at its next event",
    );
  }
}

function toTaskMessage(key: string, task: Exclude<Task, { kind: "capture-image" }>): ServerMessage {
  switch (task.kind) {
    case "run-script": {
      const { kind, script, interpreter, timeoutMs } = task;
      return { type: "task", key, task: { kind, script, interpreter, timeoutMs } };
    }
    case "restart":
    case "power-off":
      return { type: "task", key, task: { kind: task.kind } };
    case "deploy-image":
      throw new Error("an image task goes through its session");
  }
}
