import { type Environment, type Job, type Task } from "./job.ts";
import { isSharedContent, taskEnvironment } from "./task-traits.ts";

export type RunState =
  /** An earlier job of the same computer is not over. */
  | "queued"
  /** Not connected: woken, and waited for. */
  | "waking"
  /** Told to restart into the other environment, and waited for. */
  | "restarting"
  /** Between two tasks, until `resumeAtMs`. */
  | "waiting"
  /** Connected where the task runs; waits until enough others have joined the session. */
  | "joining"
  /** Receives an image, a package or a file, and does with it what the task says. */
  | "imaging"
  /** Any other task. */
  | "running"
  /** An installer was told to start; the agent of the system it installs is waited for. */
  | "installing"
  | "done"
  | "failed"
  | "cancelled"
  /** There was nothing to do: no condition held, or the run before was not over. */
  | "skipped";

/** What a waiting run waits for. */
export type WaitReason =
  /** Its task is to wait. */
  | "wait-task"
  /** The next attempt at a task that failed. */
  | "retry"
  /** Somebody deferred it. */
  | "deferred"
  /** A maintenance window. */
  | "window";

export type RunFailure =
  | "no-boot-seen"
  | "boot-not-finished"
  | "no-agent-in-os"
  | "wrong-environment"
  | "restart-refused"
  | "session-did-not-start"
  | "session-failed"
  | "no-progress"
  | "connection-lost"
  | "task-failed"
  | "outcome-unknown"
  | "too-many-attempts"
  | "script-timed-out"
  | "installer-not-started"
  | "installer-interrupted"
  | "installer-timed-out"
  | "too-many-jumps"
  | "cancelled"
  | "no-condition"
  | "still-running";

/** A failure with the sentence for the operator: what happened, and what to look at. */
export type RunReason = { readonly code: RunFailure; readonly text: string };

/** One control connection of the computer's agent. */
export type Connection = {
  readonly environment: Environment;
  /** Changes whenever the agent's process starts, so a restart cannot be taken for a reconnection. */
  readonly agentRunId: string;
  /** Fingerprint of the key that its installed system's agent was let in with last; left out: none. */
  readonly systemKey?: string;
};

export type RunProgress = {
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Smoothed over some seconds. */
  readonly rateBytesPerSecond: number;
  readonly transport: "multicast" | "unicast" | null;
  /** What the agent does now in its own words, e.g. `verifying`; at most 64 characters. */
  readonly stage: string | null;
  readonly atMs: number;
};

/** `forced`: assigned although the network was known not to carry it. `unicast`: it does not wait for a multicast. */
export type RunGate = {
  readonly decision: "forced" | "unicast";
  /** Who forced it. */
  readonly by: string | null;
  readonly text: string;
};

/** One job on one computer: everything its future depends on. Kept in the store. All times epoch ms. */
export type Run = {
  readonly id: string;
  readonly jobId: string;
  readonly computerId: string;
  /** Which time of a repeated job this is, from 1. */
  readonly occurrence: number;
  readonly queuedAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly updatedAtMs: number;
  readonly state: RunState;
  readonly reason: RunReason | null;
  /** Index of the condition that held when it began; `null`: none did, it does the job's other tasks. */
  readonly conditionIndex: number | null;
  /** Index of the current task; the number of tasks when only the return to the OS is left. */
  readonly taskIndex: number;
  /** Of the current task, from 1. */
  readonly attempt: number;
  /** Jumps by return codes so far: a task that is come to again has new keys. */
  readonly jumpCount: number;
  /** Of the last task that ended with one. */
  readonly exitCode: number | null;
  readonly resumeAtMs: number | null;
  readonly waitFor: WaitReason | null;
  /** No further task begins before. */
  readonly notBeforeAtMs: number | null;
  /** Environment being reached while waking or restarting. */
  readonly target: Environment | "any" | null;
  readonly startedIn: Environment | null;
  /** An image was restored and verified by this run. */
  readonly hasRestored: boolean;
  readonly connection: Connection | null;
  /** `agentRunId` that the current task or restart request was handed to. */
  readonly sentTo: string | null;
  /** What the last proof of the network meant for it; absent: nothing against it. */
  readonly gate?: RunGate;
  /** Restarts requested to reach `target`. */
  readonly restartCount: number;
  /** Restarts requested by this run altogether: makes their keys unique. */
  readonly restartSerial: number;
  readonly bootOfferCount: number;
  readonly wakeAgainAtMs: number | null;
  readonly deadlineAtMs: number | null;
  readonly progress: RunProgress | null;
  readonly session: { readonly joined: number; readonly expected: number } | null;
  /** While it is installing: since when, and the key of the system that is to be replaced. */
  readonly installer: { readonly startedAtMs: number; readonly oldSystemKey: string | null } | null;
};

export function runIdOf(jobId: string, computerId: string, occurrence: number): string {
  return occurrence === 1 ? `${jobId}.${computerId}` : `${jobId}.${computerId}.${occurrence}`;
}

/** A run as it is when its job was assigned, or when its job's time came again. */
export function createRun(jobId: string, computerId: string, nowMs: number, occurrence = 1): Run {
  return {
    id: runIdOf(jobId, computerId, occurrence),
    jobId,
    computerId,
    occurrence,
    queuedAtMs: nowMs,
    startedAtMs: null,
    endedAtMs: null,
    updatedAtMs: nowMs,
    state: "queued",
    reason: null,
    conditionIndex: null,
    taskIndex: 0,
    attempt: 1,
    jumpCount: 0,
    exitCode: null,
    resumeAtMs: null,
    waitFor: null,
    notBeforeAtMs: null,
    target: null,
    startedIn: null,
    hasRestored: false,
    connection: null,
    sentTo: null,
    restartCount: 0,
    restartSerial: 0,
    bootOfferCount: 0,
    wakeAgainAtMs: null,
    deadlineAtMs: null,
    progress: null,
    session: null,
    installer: null,
  };
}

/** The tasks that this run does. */
export function tasksOf(job: Job, run: Run): readonly Task[] {
  return run.conditionIndex === null ? job.tasks : (job.conditions[run.conditionIndex]?.tasks ?? []);
}

/** Names one attempt at one task. An agent that has seen it does not begin again, and reports it when it connects. */
export function taskKeyOf(run: Run): string {
  const visit = run.jumpCount === 0 ? "" : `.${run.jumpCount}`;
  return `${run.id}:${run.taskIndex}:${run.attempt}${visit}`;
}

/** Names the order to start an installer that is in the computer's memory. */
export function startKeyOf(run: Run): string {
  return `${taskKeyOf(run)}:start`;
}

export function restartKeyOf(run: Run): string {
  return `${run.id}:restart:${run.restartSerial}`;
}

/** Runs of one job with the same tasks share the session of a task, so that they share one transmission. */
export function sessionKeyOf(run: Run, taskIndex: number, task: Task): string {
  const shared = `${run.jobId}:${run.occurrence}:${run.conditionIndex ?? "-"}:${taskIndex}`;
  return isSharedContent(task) ? shared : `${shared}:${run.computerId}`;
}

export function hasEnded(run: Run): boolean {
  return (
    run.state === "done" || run.state === "failed" || run.state === "cancelled" || run.state === "skipped"
  );
}

export function isInTask(run: Run): boolean {
  return run.state === "joining" || run.state === "imaging" || run.state === "running";
}

/** Whether the computer, if it booted now, has to be given preboot and not its disk. */
export function needsPreboot(job: Job, run: Run): boolean {
  if (run.state === "waking" || run.state === "restarting") {
    return run.target === "preboot";
  }
  const task = tasksOf(job, run)[run.taskIndex];
  return isInTask(run) && task !== undefined && taskEnvironment(task) === "preboot";
}

/** When the run wants a `timer` event, epoch ms; `null` for never. */
export function nextTimerAtMs(run: Run): number | null {
  const times = [run.wakeAgainAtMs, run.deadlineAtMs, run.resumeAtMs].filter((atMs) => atMs !== null);
  return hasEnded(run) || times.length === 0 ? null : Math.min(...times);
}
