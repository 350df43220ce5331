import type { Job } from "./job.ts";
import { hasEnded, tasksOf, type Run } from "./run.ts";

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

export type JobState = "scheduled" | "running" | "done" | "failed" | "cancelled";

/** A rate older than this is no longer shown as current. */
const rateAgeMaxMs = 10_000;

export function summariseRun(job: Job, run: Run, nowMs: number): RunSummary {
  const isImaging = run.state === "imaging";
  const isFresh = run.progress !== null && nowMs - run.progress.atMs <= rateAgeMaxMs;
  const rate = isImaging && isFresh ? (run.progress?.rateBytesPerSecond ?? 0) : 0;
  const leftBytes = (run.progress?.totalBytes ?? 0) - (run.progress?.doneBytes ?? 0);
  const isReturning = run.state === "restarting" || run.state === "waking";
  return {
    state: isReturning && run.taskIndex >= tasksOf(job, run).length ? "waiting-for-os" : run.state,
    reason: reasonOf(job, run),
    percent: percentOf(job, run),
    rateBytesPerSecond: Math.round(rate),
    timeLeftMs: rate > 0 ? Math.round((1000 * leftBytes) / rate) : null,
    transport: isImaging ? (run.progress?.transport ?? null) : null,
  };
}

function reasonOf(job: Job, run: Run): string | null {
  const waits = waitingFor(job, run);
  return run.state === "waiting" && run.reason !== null
    ? `${run.reason.text} ${waits ?? ""}`.trim()
    : (run.reason?.text ?? waits);
}

function percentOf(job: Job, run: Run): number {
  if (run.state === "done" || run.state === "skipped") {
    return 100;
  }
  const taskCount = Math.max(1, tasksOf(job, run).length);
  const { doneBytes = 0, totalBytes = 0 } = run.progress ?? {};
  const imaged = run.state === "imaging" && totalBytes > 0 ? doneBytes / totalBytes : 0;
  const fraction = run.state === "installing" ? 1 : imaged;
  const percent = (100 * (Math.min(run.taskIndex, taskCount) + fraction)) / taskCount;
  return Math.min(99, Math.floor(percent));
}

function waitingFor(job: Job, run: Run): string | null {
  switch (run.state) {
    case "queued":
      return run.notBeforeAtMs === null
        ? "Waits for an earlier job of this computer, for a place in this job, or for its window."
        : `Deferred until ${formatInstant(run.notBeforeAtMs)}.`;
    case "waiting":
      return `${waitWords(run)} until ${formatInstant(run.resumeAtMs ?? 0)}.`;
    case "waking":
      return run.bootOfferCount > 0
        ? "Boots into preboot."
        : `Was sent a wake-up; waits for it in ${targetText(run)}.`;
    case "restarting":
      return run.connection === null ? `Restarts into ${targetText(run)}.` : "Was asked to restart.";
    case "joining":
      return run.session === null
        ? "Joins the session."
        : `Waits for the session: ${run.session.joined} of ${run.session.expected} have joined.`;
    case "imaging":
      return run.connection === null ? "Lost its connection; waits for it." : (run.progress?.stage ?? null);
    case "installing":
      return run.connection === null
        ? "Waiting for the installed system's agent."
        : "Starting the installer.";
    case "running":
      return `Does task ${run.taskIndex + 1} of ${tasksOf(job, run).length}: ${tasksOf(job, run)[run.taskIndex]?.kind ?? ""}.`;
    case "done":
    case "failed":
    case "cancelled":
    case "skipped":
      return null;
  }
}

function waitWords(run: Run): string {
  switch (run.waitFor) {
    case "retry":
      return `Tries again (attempt ${run.attempt})`;
    case "deferred":
      return "Deferred";
    case "window":
      return "Waits for its maintenance window";
    case "wait-task":
    case null:
      return "Waits";
  }
}

/** UTC, to the second: the reader's own time zone is not known here. */
function formatInstant(atMs: number): string {
  // An instant that we were given, not the clock.
  // oxlint-disable-next-line no-restricted-globals
  return new Date(atMs).toISOString().replace("T", " ").replace(/\..*/, " UTC");
}

function targetText(run: Run): string {
  return run.target === "preboot" ? "preboot" : run.target === "os" ? "its installed system" : "any system";
}

/**
 * A job is running while one run is; it has failed when any has, and is done when all are.
 *
 * @param isComing its time is still to come, for the first time or again
 */
export function summariseJob(runs: readonly Run[], isComing: boolean): JobState {
  if (runs.some((run) => !hasEnded(run))) {
    return "running";
  }
  if (isComing) {
    return "scheduled";
  }
  if (runs.length === 0) {
    return "running";
  }
  if (runs.some((run) => run.state === "failed")) {
    return "failed";
  }
  return runs.every((run) => run.state === "cancelled") ? "cancelled" : "done";
}
