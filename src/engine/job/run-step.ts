import type { Job } from "./job.ts";
import type { RunLimits } from "./run-limits.ts";
import type { RunEffect, RunStep } from "./run-event.ts";
import type { Run, RunReason } from "./run.ts";

/** What every rule of the engine needs beside the run. `nowMs` is epoch milliseconds. */
export type RunContext = { readonly job: Job; readonly nowMs: number; readonly limits: RunLimits };

export function step(run: Run, effects: readonly RunEffect[]): RunStep {
  return { run, effects, mustStore: true, ignored: null };
}

export function ignore(run: Run, ignored: NonNullable<RunStep["ignored"]>): RunStep {
  return { run, effects: [], mustStore: false, ignored };
}

export function ended(
  run: Run,
  state: "done" | "failed" | "cancelled" | "skipped",
  reason: RunReason | null,
  effects: readonly RunEffect[] = [],
): RunStep {
  return step(
    {
      ...run,
      state,
      reason,
      target: null,
      deadlineAtMs: null,
      wakeAgainAtMs: null,
      resumeAtMs: null,
      waitFor: null,
      session: null,
    },
    effects,
  );
}

export function fail(run: Run, reason: RunReason, effects: readonly RunEffect[] = []): RunStep {
  return ended(run, "failed", reason, effects);
}
