import type { Job } from "./job.ts";
import { hasEnded, type Run } from "./run.ts";

/**
 * Queued runs that may start: one at a time per computer, in the order of assignment.
 *
 * @param runs unfinished runs, of any number of computers.
 */
export function runsToStart(runs: Iterable<Run>): readonly Run[] {
  /** Keyed by computer id. BOUNDED by the runs given. */
  const first = new Map<string, Run>();
  for (const run of runs) {
    if (hasEnded(run)) {
      continue;
    }
    const other = first.get(run.computerId);
    if (other === undefined || comesBefore(run, other)) {
      first.set(run.computerId, run);
    }
  }
  return [...first.values()].filter((run) => run.state === "queued");
}

function comesBefore(run: Run, other: Run): boolean {
  const isBegun = run.state !== "queued";
  if (isBegun !== (other.state !== "queued")) {
    return isBegun;
  }
  return run.queuedAtMs === other.queuedAtMs ? run.id < other.id : run.queuedAtMs < other.queuedAtMs;
}

/**
 * How many computers a session is to wait for: every run of the job that is at this task or may still come to it.
 *
 * @param runs all runs of the job.
 */
export function expectedInSession(job: Job, runs: Iterable<Run>, taskIndex: number): number {
  let count = 0;
  for (const run of runs) {
    count += run.jobId === job.id && !hasEnded(run) && run.taskIndex <= taskIndex ? 1 : 0;
  }
  return count;
}
