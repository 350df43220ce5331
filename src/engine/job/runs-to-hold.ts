import type { Job } from "./job.ts";
import { hasEnded, type Run, tasksOf } from "./run.ts";
import { isDestructive } from "./task-traits.ts";

function wouldDestroy(job: Job, run: Run): boolean {
  if (run.state === "queued") {
    return [job, ...job.conditions].some(({ tasks }) => tasks.some(isDestructive));
  }
  const ahead = tasksOf(job, run).slice(run.taskIndex);
  // Half a disk helps nobody: what has begun to write, with a key that only this computer has, goes on.
  const [current] = ahead;
  const hasBegun =
    (run.state === "imaging" && current?.kind === "deploy-image") || run.state === "installing";
  return (hasBegun ? [] : ahead).some(isDestructive);
}

/** Runs of a computer of doubtful identity that have something destructive before them. */
export function runsToHold(
  runs: Iterable<Run>,
  jobs: ReadonlyMap<string, Job>,
  computerId: string,
): readonly Run[] {
  return [...runs].filter((run) => {
    const job = jobs.get(run.jobId);
    return run.computerId === computerId && !hasEnded(run) && job !== undefined && wouldDestroy(job, run);
  });
}
