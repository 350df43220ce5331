import type { Logger } from "pino";
import type { Facts } from "#engine/job/condition.ts";
import type { Job } from "#engine/job/job.ts";
import {
  assignFirst,
  type Assigning,
  type Assignment,
  assignMore,
  beginOccurrence,
  type GateOfRun,
  newestRuns,
  withGates,
} from "#engine/job/occurrence.ts";
import { reduceRun } from "#engine/job/reduce-run.ts";
import type { RunEffect, RunEvent } from "#engine/job/run-event.ts";
import {
  type Connection,
  createRun,
  hasEnded,
  needsPreboot,
  nextTimerAtMs,
  type Run,
  sessionKeyOf,
  tasksOf,
} from "#engine/job/run.ts";
import { expectedInSession, runsToStart } from "#engine/job/schedule-runs.ts";
import { isSharedContent } from "#engine/job/task-traits.ts";
import type { Clock } from "#platform/clock.ts";
import type { JobStore } from "#store/job-store.ts";
import { StoreError } from "#store/store-error.ts";
import type { ControlLink } from "./control-service.ts";
import type { ImagingService } from "./imaging-service.ts";
import { runsToHold } from "#engine/job/runs-to-hold.ts";
import { JobEffects, type JobEffectsDependencies } from "./job-effects.ts";

export type JobServiceDependencies = Omit<JobEffectsDependencies, "imaging" | "refuse"> & {
  readonly store: Pick<
    JobStore,
    "insertJob" | "assign" | "putRun" | "putRunWithDeployment" | "listJobs" | "listRuns"
  >;
  readonly clock: Clock;
  readonly log: Logger;
  readonly imaging: () => Pick<ImagingService, "join" | "leave" | "expect">;
  /** What is known of a computer now. */
  readonly factsOf: (computerId: string) => Facts;
  /** A run began, ended, or changed what its computer has to boot. */
  readonly connectionOf: (link: ControlLink) => Connection;
  readonly onChanged: (computerId: string, jobId: string) => void;
  readonly onDeployed: (computerId: string, atMs: number) => void;
};

const storeRetryDelayMs = 1000;
/** A timer is armed no further ahead: clocks are set, computers sleep. */
const timerDelayMsMax = 60_000;

/** Joins the job engine to the store and the world: one event at a time for each run, stored before it is acted on. */
export class JobService {
  readonly #dependencies: JobServiceDependencies;
  readonly #effects: JobEffects;
  /** Keyed by job id. BOUNDED by the jobs of the site. */
  readonly #jobs = new Map<string, Job>();
  /** Keyed by job id. BOUNDED as `#jobs`. */
  readonly #assignments = new Map<string, Assignment>();
  /** Keyed by run id. BOUNDED by jobs × computers × their occurrences. */
  readonly #runs = new Map<string, Run>();
  /** Last promise of each run's queue, keyed by run id. BOUNDED by unfinished runs. */
  readonly #queues = new Map<string, Promise<void>>();
  /** Changes of assignments, one after the other. */
  #assigning: Promise<unknown> = Promise.resolve();
  #startAgainAtMs: number | null = null;
  #cancelTimer: () => void = () => undefined;
  #isStopped = false;

  constructor(dependencies: JobServiceDependencies) {
    this.#dependencies = dependencies;
    this.#effects = new JobEffects({
      ...dependencies,
      refuse: (computerId, key, reason) =>
        this.agentMessage(computerId, { type: "task-result", key, outcome: "failed", reason }),
    });
  }

  /** Reads unfinished runs and goes on with them. */
  async start(): Promise<void> {
    for (const { job, assignment } of await this.#dependencies.store.listJobs()) {
      this.#jobs.set(job.id, job);
      this.#assignments.set(job.id, assignment);
    }
    for (const run of await this.#dependencies.store.listRuns()) {
      // A run stored by an older release lacks what was added since.
      this.#runs.set(run.id, { ...createRun(run.jobId, run.computerId, run.queuedAtMs), ...run });
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

  findRun(id: string): Run | null {
    return this.#runs.get(id) ?? null;
  }

  assignmentOf(jobId: string): Assignment {
    return this.#assignments.get(jobId) ?? { computerIds: [], occurrence: 0, nextAtMs: null };
  }

  /** Every run of a job, of all its occurrences. */
  runsOf(jobId: string): readonly Run[] {
    return [...this.#runs.values()].filter((run) => run.jobId === jobId);
  }

  /** Everything a computer has done and has still to do, oldest first. */
  runsOfComputer(computerId: string): readonly Run[] {
    return [...this.#runs.values()]
      .filter((run) => run.computerId === computerId)
      .toSorted((a, b) => a.queuedAtMs - b.queuedAtMs);
  }

  hasPrebootWork(computerId: string): boolean {
    return this.#runs.values().some((run) => {
      const job = this.#jobs.get(run.jobId);
      return run.computerId === computerId && !hasEnded(run) && job !== undefined && needsPreboot(job, run);
    });
  }

  /** @throws ScheduleError when its time cannot be told */
  async createJob(job: Job, computerIds: readonly string[], gateOf: GateOfRun = () => null): Promise<Job> {
    const nowMs = this.#dependencies.clock.epochMs();
    const assigning = withGates(assignFirst(job, computerIds, nowMs), gateOf);
    await this.#dependencies.store.insertJob(job, assigning);
    this.#jobs.set(job.id, job);
    this.#take(job.id, assigning);
    return job;
  }

  async assign(jobId: string, computerIds: readonly string[], gateOf: GateOfRun = () => null): Promise<void> {
    await this.#assign(jobId, (job, assignment, nowMs) =>
      withGates(assignMore(job, assignment, computerIds, newestRuns(this.runsOf(jobId)), nowMs), gateOf),
    );
  }

  /** Ends what runs, and the job's repetition. */
  async cancel(jobId: string, by: string): Promise<void> {
    if (this.assignmentOf(jobId).nextAtMs !== null) {
      await this.#assign(jobId, (_job, assignment) => ({
        assignment: { ...assignment, nextAtMs: null },
        runs: [],
      }));
    }
    const unfinished = this.runsOf(jobId).filter((run) => !hasEnded(run));
    await Promise.all(unfinished.map((run) => this.#post(run.id, { type: "cancel", by })));
  }

  /** Its identity is in doubt: no task of it that destroys something begins. */
  async hold(computerId: string, why: string): Promise<void> {
    const held = runsToHold(this.#runs.values(), this.#jobs, computerId);
    await Promise.all(held.map((run) => this.#post(run.id, { type: "cancel", by: `the server: ${why}` })));
  }

  /** No further task of these runs begins before. `null`: of every computer. */
  async defer(jobId: string, computerIds: readonly string[] | null, untilMs: number): Promise<void> {
    const runs = this.runsOf(jobId).filter(
      (run) => !hasEnded(run) && (computerIds === null || computerIds.includes(run.computerId)),
    );
    await Promise.all(runs.map((run) => this.#post(run.id, { type: "defer", untilMs })));
    this.#startQueued();
  }

  connected(link: ControlLink): void {
    const connection = this.#dependencies.connectionOf(link);
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

  /** Assignments are stored before they count, one change after the other. */
  #assign(
    jobId: string,
    change: (job: Job, assignment: Assignment, nowMs: number) => Assigning,
  ): Promise<void> {
    const done = this.#assigning.then(async () => {
      const job = this.#jobs.get(jobId);
      if (job === undefined || this.#isStopped) {
        return;
      }
      const assigning = change(job, this.assignmentOf(jobId), this.#dependencies.clock.epochMs());
      await this.#dependencies.store.assign(jobId, assigning);
      this.#take(jobId, assigning);
    });
    this.#assigning = done.catch(() => undefined);
    return done;
  }

  #take(jobId: string, { assignment, runs }: Assigning): void {
    this.#assignments.set(jobId, assignment);
    for (const run of runs) {
      this.#runs.set(run.id, run);
      this.#dependencies.onChanged(run.computerId, jobId);
    }
    this.#startQueued();
    this.#armTimer();
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
    const unfinished = [...this.#runs.values()].filter((run) => !hasEnded(run));
    const { runs, againAtMs } = runsToStart(unfinished, this.#jobs, this.#dependencies.clock.epochMs());
    this.#startAgainAtMs = againAtMs;
    for (const run of runs) {
      const link = this.#dependencies.findLink(run.computerId);
      const connection = link && this.#dependencies.connectionOf(link);
      const facts = { ...this.#dependencies.factsOf(run.computerId), environment: link?.environment ?? null };
      const reports = link?.hello.tasks ?? [];
      this.#post(run.id, { type: "start", facts, connection, reports }).catch((error: unknown) =>
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
    if (step.mustStore && !(await this.#store(run, next, step.effects, nowMs))) {
      return;
    }
    this.#runs.set(runId, next);
    const facts = { runId, computerId: run.computerId, event: event.type, state: next.state };
    this.#dependencies.log[hasEnded(next) ? "info" : "debug"](facts, "run");
    this.#dependencies.onChanged(next.computerId, next.jobId);
    for (const effect of step.effects) {
      await this.#effects.act(job, next, effect, () => this.runsOf(job.id));
    }
    if (hasEnded(next)) {
      this.#queues.delete(runId);
      await this.#expectFewer(job, next);
      this.#startQueued();
    }
    this.#armTimer();
  }

  /**
   * Waits for the store as long as it takes: an event that was dropped, such as a result, never comes again.
   *
   * @returns false when the service was stopped before it could be stored.
   */
  async #store(before: Run, run: Run, effects: readonly RunEffect[], nowMs: number): Promise<boolean> {
    const { store, clock, log, onDeployed } = this.#dependencies;
    const isDeployment = effects.some((effect) => effect.type === "record-deployment");
    const isStep =
      before.state !== run.state || before.taskIndex !== run.taskIndex || before.attempt !== run.attempt;
    while (!this.#isStopped) {
      try {
        await (isDeployment ? store.putRunWithDeployment(run, nowMs) : store.putRun(run, isStep));
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
  async #expectFewer(job: Job, ended: Run): Promise<void> {
    for (const [taskIndex, task] of tasksOf(job, ended).entries()) {
      if (isSharedContent(task)) {
        const count = expectedInSession(job, this.runsOf(job.id), ended, taskIndex);
        await this.#dependencies.imaging().expect(sessionKeyOf(ended, taskIndex, task), count);
      }
    }
  }

  #armTimer(): void {
    this.#cancelTimer();
    const { clock } = this.#dependencies;
    const due = [
      ...[...this.#runs.values()].map((run) => nextTimerAtMs(run)),
      ...[...this.#assignments.values()].map(({ nextAtMs }) => nextAtMs),
      this.#startAgainAtMs,
    ].filter((atMs) => atMs !== null);
    if (due.length === 0 || this.#isStopped) {
      return;
    }
    const delayMs = Math.min(Math.max(50, Math.min(...due) - clock.epochMs()), timerDelayMsMax);
    this.#cancelTimer = clock.after(delayMs, () => this.#wake());
  }

  /** Gives everything whose time has come its turn. */
  #wake(): void {
    const nowMs = this.#dependencies.clock.epochMs();
    const isDue = (atMs: number | null): boolean => atMs !== null && atMs <= nowMs;
    for (const run of this.#runs.values()) {
      if (isDue(nextTimerAtMs(run))) {
        this.#post(run.id, { type: "timer" }).catch((error: unknown) => this.#fail(run.id, error));
      }
    }
    for (const [jobId, { nextAtMs }] of this.#assignments) {
      if (isDue(nextAtMs)) {
        this.#begin(jobId, nowMs);
      }
    }
    if (isDue(this.#startAgainAtMs)) {
      this.#startQueued();
    }
    this.#armTimer();
  }

  #begin(jobId: string, nowMs: number): void {
    this.#assign(jobId, (job, assignment) =>
      // An earlier turn may have begun it while this one waited.
      assignment.nextAtMs !== null && assignment.nextAtMs <= nowMs
        ? beginOccurrence(job, assignment, newestRuns(this.runsOf(jobId)), nowMs)
        : { assignment, runs: [] },
    ).catch((error: unknown) =>
      this.#dependencies.log.error({ err: error, jobId }, "a job's time came and it could not begin"),
    );
  }

  #fail(runId: string, error: unknown): void {
    this.#dependencies.log.error(
      { err: error, runId },
      "a run could not be taken further; it is tried at its next event",
    );
  }
}
