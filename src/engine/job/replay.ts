import { tasksOf, type Run } from "./run.ts";
import type { Job } from "./job.ts";
import { isDestructive } from "./task-traits.ts";

/**
 * The jobs that made a computer what it is, in order: those that were done since its disk was last written, that job
 * included. What was done before is under the image.
 *
 * @param runs of that computer, oldest first
 */
export function jobsToReplay(runs: readonly Run[], jobs: ReadonlyMap<string, Job>): readonly string[] {
  const done = runs
    .filter((run) => run.state === "done")
    .toSorted((a, b) => (a.endedAtMs ?? 0) - (b.endedAtMs ?? 0));
  const last = done.findLastIndex((run) => {
    const job = jobs.get(run.jobId);
    return job !== undefined && tasksOf(job, run).some(isDestructive);
  });
  return [...new Set(done.slice(Math.max(0, last)).map(({ jobId }) => jobId))].filter((id) => jobs.has(id));
}
