import type { Job } from "./job.ts";
import { nextOpenAtMs } from "./maintenance-window.ts";
import { hasEnded, type Run } from "./run.ts";

/** Which queued runs may start, and when to ask again because one may start by time alone. */
export type StartDecision = { readonly runs: readonly Run[]; readonly againAtMs: number | null };

/**
 * Queued runs that may start: one at a time per computer, in the order of assignment, as many of a job as it allows,
 * inside of its windows. One that may not start yet does not hold up the others of its computer.
 *
 * @param runs unfinished runs, of any number of computers.
 * @param jobs their jobs by id.
 */
export function runsToStart(
  runs: Iterable<Run>,
  jobs: ReadonlyMap<string, Job>,
  nowMs: number,
): StartDecision {
  const queued: Run[] = [];
  const busyComputers = new Set<string>();
  /** Runs under way, keyed by job id. BOUNDED by the jobs given. */
  const begunCounts = new Map<string, number>();
  for (const run of runs) {
    if (run.state === "queued") {
      queued.push(run);
    } else if (!hasEnded(run)) {
      busyComputers.add(run.computerId);
      begunCounts.set(run.jobId, (begunCounts.get(run.jobId) ?? 0) + 1);
    }
  }
  const starting: Run[] = [];
  let againAtMs: number | null = null;
  for (const run of queued.sort((a, b) => a.queuedAtMs - b.queuedAtMs || (a.id < b.id ? -1 : 1))) {
    const job = jobs.get(run.jobId);
    if (job === undefined || busyComputers.has(run.computerId)) {
      continue;
    }
    const readyAtMs = Math.max(run.notBeforeAtMs ?? 0, nextOpenAtMs(job.windows, nowMs));
    if (readyAtMs > nowMs) {
      againAtMs = Math.min(againAtMs ?? readyAtMs, readyAtMs);
      continue;
    }
    const begunCount = begunCounts.get(job.id) ?? 0;
    if (job.concurrency !== null && begunCount >= job.concurrency) {
      continue;
    }
    begunCounts.set(job.id, begunCount + 1);
    busyComputers.add(run.computerId);
    starting.push(run);
  }
  return { runs: starting, againAtMs };
}

/**
 * How many computers a session is to wait for: every run with the same tasks that is at this task or may still come to
 * it. Where only some runs of a job may be under way at once, the others are not waited for.
 *
 * @param runs all runs of the job.
 * @param like a run that takes part.
 */
export function expectedInSession(job: Job, runs: Iterable<Run>, like: Run, taskIndex: number): number {
  let count = 0;
  for (const run of runs) {
    const isOfThis = run.jobId === job.id && run.occurrence === like.occurrence && !hasEnded(run);
    const isQueued = run.state === "queued";
    // An installer that works has left the session its kernel came by.
    const isBefore = run.state === "installing" ? run.taskIndex < taskIndex : run.taskIndex <= taskIndex;
    const mayCome = isQueued
      ? job.concurrency === null
      : run.conditionIndex === like.conditionIndex && isBefore;
    count += isOfThis && mayCome ? 1 : 0;
  }
  return count;
}
