import type { ProgramOutcome } from "#platform/run-program.ts";
import type { TaskOutcome } from "../task.ts";

/** What became of a program as what became of its task: exit code 0 is done, the end of the output says why it failed. */
export function outcomeOf(outcome: ProgramOutcome, timeoutMs: number): TaskOutcome {
  switch (outcome.type) {
    case "not-started":
      return { outcome: "failed", reason: outcome.reason };
    case "exited":
      return outcome.exitCode === 0
        ? { outcome: "done", reason: null, exitCode: 0 }
        : {
            outcome: "failed",
            reason: `exit code ${outcome.exitCode}: ${outcome.output.trim()}`,
            exitCode: outcome.exitCode,
          };
    case "killed": {
      const how =
        outcome.because === "timeout"
          ? `ended at its limit of ${timeoutMs} ms`
          : `ended by ${outcome.signal} (${outcome.because})`;
      return { outcome: "failed", reason: `${how}: ${outcome.output.trim()}` };
    }
  }
}
