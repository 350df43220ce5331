import type { Job } from "./job.ts";
import { nextOccurrenceAtMs } from "./schedule.ts";
import { createRun, hasEnded, type Run, type RunGate } from "./run.ts";

/** Who has a job, and when its time comes next. Kept in the store beside the job, which never changes. */
export type Assignment = {
  /** In order of assignment. */
  readonly computerIds: readonly string[];
  /** How often it has begun. */
  readonly occurrence: number;
  /** Epoch ms; `null` when it does not begin by itself (again). */
  readonly nextAtMs: number | null;
};

/** What is to be stored at once: an assignment, and the runs that come with it. */
export type Assigning = { readonly assignment: Assignment; readonly runs: readonly Run[] };

/** The newest run of each computer, by computer id. */
export function newestRuns(runs: Iterable<Run>): Map<string, Run> {
  const newest = new Map<string, Run>();
  for (const run of runs) {
    if ((newest.get(run.computerId)?.occurrence ?? 0) < run.occurrence) {
      newest.set(run.computerId, run);
    }
  }
  return newest;
}

/** A job that was just made: with a schedule it waits for its time, without one it begins. */
export function assignFirst(job: Job, computerIds: readonly string[], nowMs: number): Assigning {
  const unique = [...new Set(computerIds)];
  if (job.schedule === null) {
    const runs = unique.map((computerId) => createRun(job.id, computerId, nowMs));
    return { assignment: { computerIds: unique, occurrence: 1, nextAtMs: null }, runs };
  }
  const nextAtMs = nextOccurrenceAtMs(job.schedule, job.createdAtMs, nowMs - 1);
  return { assignment: { computerIds: unique, occurrence: 0, nextAtMs }, runs: [] };
}

/**
 * More computers, or the same ones again: who has an unfinished run keeps it, who has ended one does the job again, all
 * of them together so that they share its sessions.
 *
 * @param latest the newest run of each computer, by computer id
 */
export function assignMore(
  job: Job,
  assignment: Assignment,
  computerIds: readonly string[],
  latest: ReadonlyMap<string, Run>,
  nowMs: number,
): Assigning {
  const all = [...new Set([...assignment.computerIds, ...computerIds])];
  if (job.schedule !== null && assignment.nextAtMs !== null) {
    return { assignment: { ...assignment, computerIds: all }, runs: [] };
  }
  const wanted = [...new Set(computerIds)].filter((computerId) => {
    const run = latest.get(computerId);
    return run === undefined || hasEnded(run);
  });
  const isAgain = wanted.some((computerId) => latest.get(computerId)?.occurrence === assignment.occurrence);
  const occurrence = Math.max(1, assignment.occurrence + (isAgain ? 1 : 0));
  const runs = wanted.map((computerId) => createRun(job.id, computerId, nowMs, occurrence));
  return { assignment: { ...assignment, computerIds: all, occurrence }, runs };
}

/**
 * The job's time has come: a run for each computer, or a skipped one that says why. Times that passed while the server
 * was away count as one.
 *
 * @param latest the newest run of each computer, by computer id
 */
export function beginOccurrence(
  job: Job,
  assignment: Assignment,
  latest: ReadonlyMap<string, Run>,
  nowMs: number,
): Assigning {
  const occurrence = assignment.occurrence + 1;
  const runs = assignment.computerIds.map((computerId): Run => {
    const run = createRun(job.id, computerId, nowMs, occurrence);
    const before = latest.get(computerId);
    return before === undefined || hasEnded(before)
      ? run
      : {
          ...run,
          state: "skipped",
          endedAtMs: nowMs,
          reason: {
            code: "still-running",
            text: `The job's time came while its run before (${before.state}) was not over.`,
          },
        };
  });
  const nextAtMs = job.schedule === null ? null : nextOccurrenceAtMs(job.schedule, job.createdAtMs, nowMs);
  return { assignment: { ...assignment, occurrence, nextAtMs }, runs };
}

/** What is known of the network for each computer; `null`: nothing against it. */
export type GateOfRun = (computerId: string) => RunGate | null;

/** New runs carry what was known of the network when they were assigned. */
export function withGates(assigning: Assigning, gateOf: GateOfRun): Assigning {
  const runs = assigning.runs.map((run) => {
    const gate = gateOf(run.computerId);
    return gate === null ? run : { ...run, gate };
  });
  return { ...assigning, runs };
}
