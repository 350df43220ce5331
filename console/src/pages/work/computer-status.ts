import type { ComputerResource } from "#api/computer-api.ts";
import type { JobResource, RunResource } from "#api/job-api.ts";
import { text } from "../../text/text.ts";
import type { Tone } from "../../ui/pieces.tsx";

/** The work of one computer that counts now: what runs, or else what ended last. */
export type CurrentRun = { readonly job: JobResource; readonly run: RunResource };

export type Status = {
  readonly key: StatusKey;
  readonly label: string;
  readonly tone: Tone;
  readonly percent: number | null;
};

export const statusKeys = ["working", "pending", "conflict", "failed", "preboot", "os", "away"] as const;
export type StatusKey = (typeof statusKeys)[number];

const endedStates = ["done", "failed", "cancelled"];

export function hasEnded(run: RunResource): boolean {
  return endedStates.includes(run.state);
}

/** By computer id. An unfinished run counts before an ended one, a newer before an older. */
export function currentRuns(jobs: readonly JobResource[]): ReadonlyMap<string, CurrentRun> {
  const found = new Map<string, CurrentRun>();
  for (const job of jobs) {
    for (const run of job.runs) {
      const known = found.get(run.computerId);
      const isBetter =
        known === undefined ||
        (hasEnded(known.run) && !hasEnded(run)) ||
        (hasEnded(known.run) === hasEnded(run) && run.updatedAt > known.run.updatedAt);
      if (isBetter) {
        found.set(run.computerId, { job, run });
      }
    }
  }
  return found;
}

export function statusOf(computer: ComputerResource, current: CurrentRun | undefined): Status {
  const plain = (key: StatusKey, tone: Tone): Status => ({
    key,
    label: text.status[key],
    tone,
    percent: null,
  });
  if (computer.state === "pending") {
    return plain("pending", "warn");
  }
  if (computer.state === "conflict") {
    return plain("conflict", "bad");
  }
  if (current !== undefined && !hasEnded(current.run)) {
    const { state, percent } = current.run;
    return { key: "working", label: text.runStates[state] ?? state, tone: "busy", percent };
  }
  if (current?.run.state === "failed") {
    return plain("failed", "bad");
  }
  if (computer.environment === "preboot") {
    return plain("preboot", "busy");
  }
  return computer.environment === "os" ? plain("os", "good") : plain("away", "calm");
}
