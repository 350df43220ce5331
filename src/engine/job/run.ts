import type { Environment, Job } from "./job.ts";

export type RunState =
  /** An earlier job of the same computer is not over. */
  | "queued"
  /** Not connected: woken, and waited for. */
  | "waking"
  /** Told to restart into the other environment, and waited for. */
  | "restarting"
  /** Connected in preboot; waits until enough others have joined the session. */
  | "joining"
  | "imaging"
  /** Any other task. */
  | "running"
  | "done"
  | "failed"
  | "cancelled";

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
  | "cancelled";

/** A failure with the sentence for the operator: what happened, and what to look at. */
export type RunReason = { readonly code: RunFailure; readonly text: string };

/** One control connection of the computer's agent. */
export type Connection = {
  readonly environment: Environment;
  /** Changes whenever the agent's process starts, so a restart cannot be taken for a reconnection. */
  readonly agentRunId: string;
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

/** One job on one computer: everything its future depends on. Kept in the store. All times epoch ms. */
export type Run = {
  readonly id: string;
  readonly jobId: string;
  readonly computerId: string;
  readonly queuedAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly updatedAtMs: number;
  readonly state: RunState;
  readonly reason: RunReason | null;
  /** Index of the current task; the number of tasks when only the return to the OS is left. */
  readonly taskIndex: number;
  /** Of the current task, from 1. */
  readonly attempt: number;
  /** Environment being reached while waking or restarting. */
  readonly target: Environment | "any" | null;
  readonly startedIn: Environment | null;
  /** An image was restored and verified by this run. */
  readonly hasRestored: boolean;
  readonly connection: Connection | null;
  /** `agentRunId` that the current task or restart request was handed to. */
  readonly sentTo: string | null;
  /** Restarts requested to reach `target`. */
  readonly restartCount: number;
  /** Restarts requested by this run altogether: makes their keys unique. */
  readonly restartSerial: number;
  readonly bootOfferCount: number;
  readonly wakeAgainAtMs: number | null;
  readonly deadlineAtMs: number | null;
  readonly progress: RunProgress | null;
  readonly session: { readonly joined: number; readonly expected: number } | null;
};

export function runIdOf(jobId: string, computerId: string): string {
  return `${jobId}.${computerId}`;
}

/** A run as it is when its job was assigned. */
export function createRun(jobId: string, computerId: string, nowMs: number): Run {
  return {
    id: runIdOf(jobId, computerId),
    jobId,
    computerId,
    queuedAtMs: nowMs,
    startedAtMs: null,
    endedAtMs: null,
    updatedAtMs: nowMs,
    state: "queued",
    reason: null,
    taskIndex: 0,
    attempt: 1,
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
  };
}

/** Names one attempt at one task. An agent that has seen it does not begin again, and reports it when it connects. */
export function taskKeyOf(run: Run): string {
  return `${run.id}:${run.taskIndex}:${run.attempt}`;
}

export function restartKeyOf(run: Run): string {
  return `${run.id}:restart:${run.restartSerial}`;
}

export function hasEnded(run: Run): boolean {
  return run.state === "done" || run.state === "failed" || run.state === "cancelled";
}

export function isInTask(run: Run): boolean {
  return run.state === "joining" || run.state === "imaging" || run.state === "running";
}

/** Whether the computer, if it booted now, has to be given preboot and not its disk. */
export function needsPreboot(job: Job, run: Run): boolean {
  if (run.state === "waking" || run.state === "restarting") {
    return run.target === "preboot";
  }
  const task = job.tasks[run.taskIndex];
  return run.state === "joining" || run.state === "imaging"
    ? true
    : run.state === "running" && task?.kind === "run-script" && task.environment === "preboot";
}

/** When the run wants a `timer` event, epoch ms; `null` for never. */
export function nextTimerAtMs(run: Run): number | null {
  const times = [run.wakeAgainAtMs, run.deadlineAtMs].filter((atMs) => atMs !== null);
  return hasEnded(run) || times.length === 0 ? null : Math.min(...times);
}
