import type { RunEvent, RunStep } from "./run-event.ts";
import type { Run, RunProgress } from "./run.ts";
import type { RunContext } from "./run-step.ts";

/** Weight of the newest measurement; reports come about twice a second. */
const smoothing = 0.2;

function rateOf(
  previous: RunProgress | null,
  doneBytes: number,
  stage: string | null,
  nowMs: number,
): number {
  if (previous === null || previous.stage !== stage || nowMs <= previous.atMs) {
    return previous?.rateBytesPerSecond ?? 0;
  }
  const measured = Math.max(0, ((doneBytes - previous.doneBytes) * 1000) / (nowMs - previous.atMs));
  return previous.rateBytesPerSecond === 0
    ? measured
    : previous.rateBytesPerSecond * (1 - smoothing) + measured * smoothing;
}

/** Keeps what is shown, and gives a task that moves its time again. Not stored: the agent reports it anew. */
export function advanceProgress(
  { nowMs, limits }: RunContext,
  run: Run,
  event: RunEvent & { type: "task-progress" },
): RunStep {
  const { doneBytes, totalBytes, transport } = event;
  const stage = event.stage === null ? null : event.stage.slice(0, 64);
  const hasMoved =
    run.progress === null || run.progress.doneBytes !== doneBytes || run.progress.stage !== stage;
  const rateBytesPerSecond = rateOf(run.progress, doneBytes, stage, nowMs);
  const progress: RunProgress = { doneBytes, totalBytes, rateBytesPerSecond, transport, stage, atMs: nowMs };
  const deadlineAtMs = run.state === "imaging" && hasMoved ? nowMs + limits.stallMs : run.deadlineAtMs;
  return { run: { ...run, progress, deadlineAtMs }, effects: [], mustStore: false, ignored: null };
}
