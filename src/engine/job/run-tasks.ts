import { decideAfter } from "./code-rule.ts";
import { startInstaller } from "./installer-run.ts";
import type { Environment, Task } from "./job.ts";
import { nextOpenAtMs } from "./maintenance-window.ts";
import type { RunEffect, RunStep, TaskReport } from "./run-event.ts";
import { bounded } from "./run-reasons.ts";
import {
  type Connection,
  restartKeyOf,
  type Run,
  sessionKeyOf,
  taskKeyOf,
  tasksOf,
  type WaitReason,
} from "./run.ts";
import { ended, fail, type RunContext, step } from "./run-step.ts";
import { isRepeatable, isUpload, sessionContentOf, taskEnvironment, timeLimitMs } from "./task-traits.ts";

/** Brings the computer to where the current task runs, or hands the task over when it is there. */
export function beginTask(context: RunContext, run: Run): RunStep {
  const task = tasksOf(context.job, run)[run.taskIndex];
  if (task === undefined) {
    return returnToOs(context, run);
  }
  const { nowMs, job } = context;
  if (run.notBeforeAtMs !== null && run.notBeforeAtMs > nowMs) {
    return wait(run, run.notBeforeAtMs, "deferred");
  }
  const openAtMs = nextOpenAtMs(job.windows, nowMs);
  if (openAtMs > nowMs) {
    return wait(run, openAtMs, "window");
  }
  const next: Run = { ...run, reason: null, notBeforeAtMs: null, resumeAtMs: null, waitFor: null };
  if (task.kind === "wait") {
    return wait(next, nowMs + task.durationMs, "wait-task");
  }
  return reach(context, next, taskEnvironment(task), () =>
    task.kind === "wake" ? goTo(context, next, run.taskIndex + 1) : sendTask(context, next, task),
  );
}

function wait(run: Run, resumeAtMs: number, waitFor: WaitReason): RunStep {
  return step(
    {
      ...run,
      state: "waiting",
      target: null,
      resumeAtMs,
      waitFor,
      deadlineAtMs: null,
      wakeAgainAtMs: null,
      progress: null,
      session: null,
    },
    [],
  );
}

/** What a waiting run waited for has come. */
export function resumeAfterWait(context: RunContext, run: Run): RunStep {
  const next: Run = { ...run, resumeAtMs: null, waitFor: null };
  return run.waitFor === "wait-task" ? goTo(context, next, run.taskIndex + 1) : beginTask(context, next);
}

/** After the last task: a computer that lives on its disk, or now has a new one, goes back there. */
function returnToOs(context: RunContext, run: Run): RunStep {
  const mustReturn = run.hasRestored || run.startedIn === "os";
  const isPoweredOff = tasksOf(context.job, run).at(-1)?.kind === "power-off";
  if (!mustReturn || isPoweredOff) {
    return ended(run, "done", null);
  }
  return reach(context, run, "os", () => ended(run, "done", null));
}

function reach(
  context: RunContext,
  run: Run,
  environment: Environment | "any",
  arrived: () => RunStep,
): RunStep {
  const { connection } = run;
  if (connection === null) {
    return wake(context, run, environment);
  }
  return environment === "any" || environment === connection.environment
    ? arrived()
    : requestRestart(context, run, environment);
}

function wake({ nowMs, limits }: RunContext, run: Run, target: Environment | "any"): RunStep {
  return step(
    {
      ...run,
      state: "waking",
      target,
      wakeAgainAtMs: nowMs + limits.wakeAgainMs,
      deadlineAtMs: nowMs + (target === "preboot" ? limits.prebootMs : limits.osMs),
    },
    [{ type: "wake", computerId: run.computerId }],
  );
}

/** Asks the agent of the moment to restart into the other environment. */
export function requestRestart({ nowMs, limits }: RunContext, run: Run, into: Environment): RunStep {
  if (run.restartCount >= limits.restartsMax) {
    const where =
      into === "preboot" ? "preboot: is network boot first in its firmware?" : "its disk: does it boot?";
    return fail(run, {
      code: "wrong-environment",
      text: `It was restarted ${run.restartCount} times and did not come up in ${where}`,
    });
  }
  const next: Run = {
    ...run,
    state: "restarting",
    target: into,
    restartCount: run.restartCount + 1,
    restartSerial: run.restartSerial + 1,
    bootOfferCount: 0,
    sentTo: run.connection?.agentRunId ?? null,
    wakeAgainAtMs: nowMs + limits.wakeAfterRestartMs,
    deadlineAtMs: nowMs + (into === "preboot" ? limits.prebootMs : limits.osMs),
  };
  const { computerId } = next;
  return step(next, [{ type: "request-restart", computerId, key: restartKeyOf(next), into }]);
}

/** How long the agent may be silent about a task it was just given. */
function firstDeadlineMs({ limits }: RunContext, task: Task): number {
  if (task.kind === "restart") {
    return limits.osMs;
  }
  if (task.kind === "power-off") {
    return limits.powerOffMs;
  }
  const limitMs = timeLimitMs(task);
  return limitMs === null ? limits.stallMs : limitMs + limits.scriptGraceMs;
}

/** Hands the current task to the agent. Repeating it under the same key is safe: the agent begins each key once. */
export function sendTask(context: RunContext, run: Run, task: Task): RunStep {
  const { nowMs, limits } = context;
  const sent: Run = {
    ...run,
    target: null,
    wakeAgainAtMs: null,
    restartCount: 0,
    bootOfferCount: 0,
    progress: null,
    sentTo: run.connection?.agentRunId ?? null,
  };
  if (sessionContentOf(task) !== null) {
    return step({ ...sent, state: "joining", deadlineAtMs: nowMs + limits.joinMs }, [
      joinSession(sent, task, false),
    ]);
  }
  const state = isUpload(task) ? "imaging" : "running";
  return step({ ...sent, state, deadlineAtMs: nowMs + firstDeadlineMs(context, task) }, [
    { type: "send-task", computerId: run.computerId, key: taskKeyOf(run), task },
  ]);
}

function joinSession(run: Run, task: Task, isResumed: boolean): RunEffect {
  return {
    type: "join-session",
    sessionKey: sessionKeyOf(run, run.taskIndex, task),
    computerId: run.computerId,
    taskKey: taskKeyOf(run),
    task,
    isResumed,
  };
}

/** Ends what the server holds open for the current task. */
export function leaveTask(run: Run, task: Task, why: "finished" | "failed" | "cancelled"): RunEffect[] {
  if (isUpload(task)) {
    return [{ type: "end-upload", computerId: run.computerId, taskKey: taskKeyOf(run) }];
  }
  return sessionContentOf(task) === null && task.kind !== "restore-user-data"
    ? []
    : [
        {
          type: "leave-session",
          sessionKey: sessionKeyOf(run, run.taskIndex, task),
          computerId: run.computerId,
          why,
        },
      ];
}

/** Goes on from what the agent says of the task: done, failed, still at it, or nothing at all. */
export function resumeTask(
  context: RunContext,
  run: Run,
  connection: Connection | null,
  reports: readonly TaskReport[],
): RunStep {
  const task = tasksOf(context.job, run)[run.taskIndex];
  if (task === undefined) {
    return beginTask(context, run);
  }
  const report = reports.find((candidate) => candidate.key === taskKeyOf(run));
  switch (report?.outcome) {
    case "done":
      if (task.kind === "deploy-installer") {
        const started = startInstaller(context, run, task);
        return { ...started, effects: [...leaveTask(run, task, "finished"), ...started.effects] };
      }
      // A restart is done when the computer is back, not when its agent says that it goes.
      return task.kind === "restart" || task.kind === "power-off"
        ? step(run, [])
        : endTask(context, run, task, { ...report, outcome: "done" });
    case "failed":
      return endTask(context, run, task, { ...report, outcome: "failed" });
    case "running":
      return stillRunning(context, run, task);
    case undefined:
      return connection === null ? step(run, []) : withoutReport(context, run, task, connection);
  }
}

/** It was away and is back: the time that was set for its return no longer counts. */
function stillRunning(context: RunContext, run: Run, task: Task): RunStep {
  const { nowMs, limits } = context;
  if (sessionContentOf(task) === null) {
    const isPower = task.kind === "restart" || task.kind === "power-off";
    return step(isPower ? run : { ...run, deadlineAtMs: nowMs + firstDeadlineMs(context, task) }, [
      // The server may be another process now, whose right the agent needs; it begins the key once.
      ...(isUpload(task) || task.kind === "restore-user-data"
        ? [{ type: "send-task", computerId: run.computerId, key: taskKeyOf(run), task } as const]
        : []),
    ]);
  }
  const isInstalling = run.progress !== null && run.progress.transport === null;
  const waitMs = run.state === "joining" ? limits.joinMs : limits.stallMs;
  const deadlineAtMs = nowMs + Math.max(waitMs, isInstalling ? firstDeadlineMs(context, task) : 0);
  return step({ ...run, deadlineAtMs }, [joinSession(run, task, true)]);
}

/** The task has ended, well or badly: its return codes say what comes next. */
function endTask(
  context: RunContext,
  run: Run,
  task: Task,
  report: TaskReport & { readonly outcome: "done" | "failed" },
): RunStep {
  const exitCode = report.exitCode ?? null;
  const action = decideAfter(task, report.outcome, exitCode);
  const isRestored = task.kind === "deploy-image" && report.outcome === "done";
  const left: Run = {
    ...run,
    sentTo: null,
    session: null,
    deadlineAtMs: null,
    exitCode: exitCode ?? run.exitCode,
    hasRestored: run.hasRestored || isRestored,
  };
  const effects: RunEffect[] = [
    ...(isRestored
      ? [{ type: "record-deployment", computerId: run.computerId, imageId: task.imageId } satisfies RunEffect]
      : []),
    ...leaveTask(run, task, report.outcome === "done" ? "finished" : "failed"),
  ];
  const next = follow(context, left, task, action, report);
  return { ...next, effects: [...effects, ...next.effects] };
}

/** The agent of the new system is here: the task of its installer is done, and it lives there from now on. */
export function endInstalling(context: RunContext, run: Run): RunStep {
  const task = tasksOf(context.job, run)[run.taskIndex];
  const left: Run = { ...run, installer: null, startedIn: "os", sentTo: null, deadlineAtMs: null };
  return task === undefined
    ? beginTask(context, left)
    : follow(context, left, task, decideAfter(task, "done", null), {
        ...{ key: taskKeyOf(run), outcome: "done", reason: null },
      });
}

function follow(
  context: RunContext,
  run: Run,
  task: Task,
  action: ReturnType<typeof decideAfter>,
  report: TaskReport,
): RunStep {
  const tasks = tasksOf(context.job, run);
  switch (action.type) {
    case "continue":
      return goTo(context, run, run.taskIndex + 1);
    case "end":
      return goTo(context, run, tasks.length);
    case "jump": {
      if (run.jumpCount >= context.limits.jumpsMax) {
        const text = `Return codes made it jump ${run.jumpCount} times; it goes round in a circle.`;
        return fail(run, { code: "too-many-jumps", text });
      }
      const index = tasks.findIndex(({ name }) => name === action.taskName);
      // Checked when the job was made; a job that was not ends here rather than anywhere.
      const target = index === -1 ? tasks.length : index;
      return goTo(context, { ...run, jumpCount: run.jumpCount + 1 }, target);
    }
    case "stop":
      return retryOrFail(context, run, task, report);
  }
}

function retryOrFail({ nowMs, limits }: RunContext, run: Run, task: Task, report: TaskReport): RunStep {
  const { retry } = task;
  const words = report.reason ?? `It ended with code ${report.exitCode ?? 0}, which stops this job.`;
  const reason = { code: "task-failed", text: bounded(words) } as const;
  if (retry === undefined || run.attempt >= retry.attempts) {
    return fail(run, reason);
  }
  const delayMs = Math.min(retry.delayMs * 2 ** (run.attempt - 1), limits.retryDelayMsMax);
  return wait({ ...run, attempt: run.attempt + 1, reason }, nowMs + delayMs, "retry");
}

/** To another task of this run, or beyond its last. */
export function goTo(context: RunContext, run: Run, taskIndex: number): RunStep {
  return beginTask(context, { ...run, taskIndex, attempt: 1, sentTo: null, session: null });
}

/** The agent does not know the task: it never got it, or it is another process now. */
function withoutReport(context: RunContext, run: Run, task: Task, connection: Connection): RunStep {
  const { limits } = context;
  if (run.sentTo === connection.agentRunId) {
    return sendTask(context, run, task);
  }
  if (task.kind === "restart" || task.kind === "power-off") {
    return endTask(context, run, task, { key: taskKeyOf(run), outcome: "done", reason: null });
  }
  if (!isRepeatable(task)) {
    return fail(run, {
      code: "outcome-unknown",
      text: "The computer was restarted while the script ran; whether it ended is not known, so it is not run again.",
    });
  }
  const leaving = leaveTask(run, task, "failed");
  if (run.attempt >= Math.max(limits.attemptsMax, task.retry?.attempts ?? 0)) {
    const text = `Its task ${task.kind} was begun ${run.attempt} times and the computer restarted each time before the end.`;
    return fail(run, { code: "too-many-attempts", text }, leaving);
  }
  const begun = beginTask(context, { ...run, attempt: run.attempt + 1, sentTo: null, session: null });
  return { ...begun, effects: [...leaving, ...begun.effects] };
}
