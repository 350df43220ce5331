import type { RunEvent, RunStep } from "./run-event.ts";
import { tasksOf, type Run, type RunProgress } from "./run.ts";
import type { RunContext } from "./run-step.ts";
import { timeLimitMs } from "./task-traits.ts";

/** What lies this long back counts for a third: reports come about twice a second, and now and then two at once. */
const smoothingMs = 2000;
/** Over less than this a first measurement says nothing. */
const firstMsMin = 250;

function rateOf(
  previous: RunProgress | null,
  doneBytes: number,
  stage: string | null,
  nowMs: number,
): number {
  if (previous === null || previous.stage !== stage) {
    return 0;
  }
  const elapsedMs = nowMs - previous.atMs;
  if (elapsedMs <= 0) {
    return previous.rateBytesPerSecond;
  }
  const measured = Math.max(0, ((doneBytes - previous.doneBytes) * 1000) / elapsedMs);
  if (previous.rateBytesPerSecond === 0) {
    return elapsedMs < firstMsMin ? 0 : measured;
  }
  const weight = 1 - Math.exp(-elapsedMs / smoothingMs);
  return previous.rateBytesPerSecond * (1 - weight) + measured * weight;
}

/** Until when the next sign of progress must come; `null` leaves it as it is. */
function deadlineAfter(
  { job, nowMs, limits }: RunContext,
  run: Run,
  transport: RunProgress["transport"],
): number | null {
  const task = tasksOf(job, run)[run.taskIndex];
  const limitMs = task === undefined ? null : timeLimitMs(task);
  if (run.state === "imaging" && transport === null && limitMs !== null) {
    // Everything has arrived: an installer works in silence.
    return nowMs + limitMs + limits.scriptGraceMs;
  }
  return run.state === "imaging" || limitMs === null ? nowMs + limits.stallMs : null;
}

/** Keeps what is shown, and gives a task that moves its time again. Not stored: the agent reports it anew. */
export function advanceProgress(
  context: RunContext,
  run: Run,
  event: RunEvent & { type: "task-progress" },
): RunStep {
  const { nowMs } = context;
  const { doneBytes, totalBytes, transport } = event;
  const stage = event.stage === null ? null : event.stage.slice(0, 64);
  const hasMoved =
    run.progress === null || run.progress.doneBytes !== doneBytes || run.progress.stage !== stage;
  const rateBytesPerSecond = rateOf(run.progress, doneBytes, stage, nowMs);
  const progress: RunProgress = { doneBytes, totalBytes, rateBytesPerSecond, transport, stage, atMs: nowMs };
  const deadlineAtMs = hasMoved
    ? (deadlineAfter(context, run, transport) ?? run.deadlineAtMs)
    : run.deadlineAtMs;
  return { run: { ...run, progress, deadlineAtMs }, effects: [], mustStore: false, ignored: null };
}
