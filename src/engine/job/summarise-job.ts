import type { Job } from "./job.ts";
import { hasEnded, type Run } from "./run.ts";

/** One run for a progress bar. */
export type RunSummary = {
  /** `waiting-for-os` and `finishing` are parts of the return to the installed system. */
  readonly state: Run["state"] | "waiting-for-os";
  /** What it waits for, or why it ended; `null` when the state says it all. */
  readonly reason: string | null;
  /** 0 to 100; 100 only when done. */
  readonly percent: number;
  readonly rateBytesPerSecond: number;
  /** Of the transfer that runs now, `null` when it cannot be known. */
  readonly timeLeftMs: number | null;
  readonly transport: "multicast" | "unicast" | null;
};

export type JobState = "running" | "done" | "failed" | "cancelled";

/** A rate older than this is no longer shown as current. */
const rateAgeMaxMs = 10_000;

export function summariseRun(job: Job, run: Run, nowMs: number): RunSummary {
  const isImaging = run.state === "imaging";
  const isFresh = run.progress !== null && nowMs - run.progress.atMs <= rateAgeMaxMs;
  const rate = isImaging && isFresh ? (run.progress?.rateBytesPerSecond ?? 0) : 0;
  const leftBytes = (run.progress?.totalBytes ?? 0) - (run.progress?.doneBytes ?? 0);
  const isReturning = run.state === "restarting" || run.state === "waking";
  return {
    state: isReturning && run.taskIndex >= job.tasks.length ? "waiting-for-os" : run.state,
    reason: run.reason?.text ?? waitingFor(job, run),
    percent: percentOf(job, run),
    rateBytesPerSecond: Math.round(rate),
    timeLeftMs: rate > 0 ? Math.round((1000 * leftBytes) / rate) : null,
    transport: isImaging ? (run.progress?.transport ?? null) : null,
  };
}

function percentOf(job: Job, run: Run): number {
  if (run.state === "done") {
    return 100;
  }
  const { doneBytes = 0, totalBytes = 0 } = run.progress ?? {};
  const kind = job.tasks[run.taskIndex]?.kind;
  const isImage = kind === "deploy-image" || kind === "capture-image";
  const fraction = isImage && totalBytes > 0 ? doneBytes / totalBytes : 0;
  const percent = (100 * (Math.min(run.taskIndex, job.tasks.length) + fraction)) / job.tasks.length;
  return Math.min(99, Math.floor(percent));
}

function waitingFor(job: Job, run: Run): string | null {
  switch (run.state) {
    case "queued":
      return "Waits for an earlier job of this computer.";
    case "waking":
      return run.bootOfferCount > 0
        ? "Boots into preboot."
        : `Was sent a wake-up; waits for it in ${targetText(run)}.`;
    case "restarting":
      return run.connection === null ? `Restarts into ${targetText(run)}.` : "Was asked to restart.";
    case "joining":
      return run.session === null
        ? "Joins the imaging session."
        : `Waits for the session: ${run.session.joined} of ${run.session.expected} have joined.`;
    case "imaging":
      return run.connection === null ? "Lost its connection; waits for it." : (run.progress?.stage ?? null);
    case "running":
      return `Does task ${run.taskIndex + 1} of ${job.tasks.length}: ${job.tasks[run.taskIndex]?.kind ?? ""}.`;
    case "done":
    case "failed":
    case "cancelled":
      return null;
  }
}

function targetText(run: Run): string {
  return run.target === "preboot" ? "preboot" : run.target === "os" ? "its installed system" : "any system";
}

/** A job is running while one run is; it has failed when any has, and is done when all are. */
export function summariseJob(runs: readonly Run[]): JobState {
  if (runs.length === 0 || runs.some((run) => !hasEnded(run))) {
    return "running";
  }
  if (runs.some((run) => run.state === "failed")) {
    return "failed";
  }
  return runs.every((run) => run.state === "cancelled") ? "cancelled" : "done";
}
