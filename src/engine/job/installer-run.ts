import type { TaskWork } from "./job.ts";
import type { RunStep, TaskReport } from "./run-event.ts";
import { bounded } from "./run-reasons.ts";
import { fail, type RunContext, step } from "./run-step.ts";
import { type Connection, type Run, startKeyOf } from "./run.ts";

type InstallerTask = Extract<TaskWork, { kind: "deploy-installer" }>;

/**
 * The installer is in the computer's memory. That it may start is stored before it is told so: whatever dies after this, it
 * is not begun a second time, and the computer's next boot is from its disk.
 */
export function startInstaller({ nowMs }: RunContext, run: Run, task: InstallerTask): RunStep {
  const next: Run = {
    ...run,
    state: "installing",
    session: null,
    progress: null,
    deadlineAtMs: nowMs + task.timeoutMs,
    installer: { startedAtMs: nowMs, oldSystemKey: run.connection?.systemKey ?? null },
  };
  return step(next, [orderOf(next)]);
}

function orderOf(run: Run) {
  return { type: "start-installer", computerId: run.computerId, key: startKeyOf(run) } as const;
}

/** What a computer that connects says of the installation: `installed`, or the step that follows. */
export function meetInstalling(
  run: Run,
  connection: Connection,
  reports: readonly TaskReport[],
): RunStep | "installed" {
  if (connection.environment === "os") {
    const { systemKey = null } = connection;
    return systemKey === null || systemKey !== run.installer?.oldSystemKey
      ? "installed"
      : fail(run, {
          code: "installer-interrupted",
          text: "Its old system's agent came back: the installer was started and did not replace that system. Look at the computer's screen.",
        });
  }
  if (connection.agentRunId !== run.sentTo) {
    return fail(run, {
      code: "installer-interrupted",
      text: "It came back to preboot and not to an installed system. Whether the installer had begun to write its disk is not known, so it is not started again by itself: assign the job again.",
    });
  }
  const report = reports.find(({ key }) => key === startKeyOf(run));
  return report?.outcome === "failed" ? notStarted(run, report.reason) : step(run, [orderOf(run)]);
}

/** The computer is still in preboot and says that it stays there. */
export function notStarted(run: Run, reason: string | null): RunStep {
  return fail(run, {
    code: "installer-not-started",
    text: bounded(reason ?? "The agent could not start the installer."),
  });
}
