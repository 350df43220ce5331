import type { Environment, Job } from "./job.ts";
import { holds } from "./condition.ts";
import { meetInstalling, notStarted } from "./installer-run.ts";
import {
  beginTask,
  endInstalling,
  goTo,
  leaveTask,
  requestRestart,
  resumeAfterWait,
  resumeTask,
} from "./run-tasks.ts";
import { ended, fail, ignore, step, type RunContext } from "./run-step.ts";
import { defaultRunLimits, type RunLimits } from "./run-limits.ts";
import { bounded, timeoutReason } from "./run-reasons.ts";
import { advanceProgress } from "./run-progress.ts";
import {
  hasEnded,
  isInTask,
  restartKeyOf,
  startKeyOf,
  taskKeyOf,
  tasksOf,
  type Connection,
  type Run,
} from "./run.ts";
import type { RunEffect, RunEvent, RunStep, TaskReport } from "./run-event.ts";

/**
 * Takes one event to the next state of a run.
 *
 * The caller stores the run before it acts on the effects, so that whatever was sent is known after any crash. An
 * effect that a crash swallowed is made again when the agent connects, under the same key.
 *
 * @param nowMs epoch milliseconds, so that deadlines survive the server.
 */
export function reduceRun(
  job: Job,
  run: Run,
  event: RunEvent,
  nowMs: number,
  limits: RunLimits = defaultRunLimits,
): RunStep {
  const result = dispatch({ job, nowMs, limits }, run, event);
  return result.ignored === null
    ? {
        ...result,
        run: { ...result.run, updatedAtMs: nowMs, endedAtMs: hasEnded(result.run) ? nowMs : null },
      }
    : result;
}

function dispatch(context: RunContext, run: Run, event: RunEvent): RunStep {
  if (hasEnded(run)) {
    return ignore(run, "run-is-over");
  }
  const isForQueued = event.type === "start" || event.type === "cancel" || event.type === "defer";
  if (run.state === "queued" && !isForQueued) {
    return ignore(run, "not-started");
  }
  switch (event.type) {
    case "start":
      return start(context, run, event);
    case "connected":
      return connected(context, { ...run, connection: event.connection }, event.connection, event.reports);
    case "disconnected":
      return disconnected(context, { ...run, connection: null });
    case "boot-offered":
      return bootOffered(context, run);
    case "task-progress":
      return event.key === taskKeyOf(run) && isInTask(run)
        ? advanceProgress(context, run, event)
        : ignore(run, "stale-key");
    case "task-result":
      return taskResult(context, run, event);
    case "session-joined":
    case "session-started":
    case "session-failed":
      return session(context, run, event);
    case "timer":
      return timer(context, run);
    case "cancel":
      return cancel(context, run, event.by);
    case "defer":
      return defer(run, event.untilMs);
    case "server-restarted":
      return serverRestarted(context, run);
  }
}

function start(context: RunContext, run: Run, event: RunEvent & { type: "start" }): RunStep {
  if (run.state !== "queued") {
    return ignore(run, "already-started");
  }
  const { connection, facts } = event;
  const conditionIndex = context.job.conditions.findIndex(({ when }) => holds(when, facts));
  const chosen: Run = { ...run, conditionIndex: conditionIndex === -1 ? null : conditionIndex };
  if (tasksOf(context.job, chosen).length === 0) {
    return ended(chosen, "skipped", {
      code: "no-condition",
      text: "None of the job's conditions held for this computer, and the job has no other tasks.",
    });
  }
  return beginTask(context, {
    ...chosen,
    connection,
    startedAtMs: context.nowMs,
    startedIn: connection?.environment ?? null,
  });
}

function connected(
  context: RunContext,
  run: Run,
  connection: Connection,
  reports: readonly TaskReport[],
): RunStep {
  if (isInTask(run)) {
    return resumeTask(context, run, connection, reports);
  }
  if (run.state === "installing") {
    const met = meetInstalling(run, connection, reports);
    return met === "installed" ? endInstalling(context, run) : met;
  }
  if (run.state === "waiting") {
    return step({ ...run, startedIn: run.startedIn ?? connection.environment }, []);
  }
  const isArrived = run.target === "any" || run.target === connection.environment;
  if (isArrived) {
    // A run begun while the computer was off learns now which system it lives in.
    return beginTask(context, { ...run, startedIn: run.startedIn ?? connection.environment });
  }
  const into = run.target as Environment;
  if (run.state === "restarting" && run.sentTo === connection.agentRunId) {
    return resumeRestart(run, into, reports);
  }
  return requestRestart(context, run, into);
}

/** The same agent process is still there: the request was lost on the way, or is being carried out. */
function resumeRestart(run: Run, into: Environment, reports: readonly TaskReport[]): RunStep {
  const key = restartKeyOf(run);
  const report = reports.find((candidate) => candidate.key === key);
  if (report?.outcome === "failed") {
    return fail(run, {
      code: "restart-refused",
      text: bounded(report.reason ?? "The agent could not restart."),
    });
  }
  return step(run, [{ type: "request-restart", computerId: run.computerId, key, into }]);
}

function disconnected(context: RunContext, run: Run): RunStep {
  const { nowMs, limits, job } = context;
  if (run.state === "restarting") {
    return step({ ...run, wakeAgainAtMs: nowMs + limits.wakeAfterRestartMs }, []);
  }
  if (!isInTask(run)) {
    return step(run, []);
  }
  const kind = tasksOf(job, run)[run.taskIndex]?.kind;
  if (kind === "restart") {
    return step({ ...run, wakeAgainAtMs: nowMs + limits.wakeAfterRestartMs }, []);
  }
  const patienceMs = kind === "power-off" ? limits.powerOffMs : limits.reconnectMs;
  return step({ ...run, deadlineAtMs: nowMs + patienceMs }, []);
}

/** A sign of life gives the boot its time again, but a boot loop does not wait for ever. */
function bootOffered({ nowMs, limits }: RunContext, run: Run): RunStep {
  const isReaching = run.state === "waking" || run.state === "restarting";
  if (!isReaching || run.connection !== null || run.target !== "preboot") {
    return ignore(run, "no-use");
  }
  if (run.bootOfferCount >= limits.bootOffersMax) {
    return ignore(run, "no-use");
  }
  return step(
    {
      ...run,
      bootOfferCount: run.bootOfferCount + 1,
      wakeAgainAtMs: null,
      deadlineAtMs: nowMs + limits.prebootMs,
    },
    [],
  );
}

function taskResult(context: RunContext, run: Run, event: RunEvent & { type: "task-result" }): RunStep {
  if (run.state === "restarting" && event.key === restartKeyOf(run)) {
    return event.outcome === "failed"
      ? fail(run, { code: "restart-refused", text: bounded(event.reason ?? "The agent could not restart.") })
      : ignore(run, "no-use");
  }
  if (run.state === "installing" && event.key === startKeyOf(run)) {
    return event.outcome === "failed" ? notStarted(run, event.reason) : ignore(run, "no-use");
  }
  if (!isInTask(run) || event.key !== taskKeyOf(run)) {
    return ignore(run, "stale-key");
  }
  return resumeTask(context, run, run.connection, [event]);
}

function session(
  context: RunContext,
  run: Run,
  event: RunEvent & { type: "session-joined" | "session-started" | "session-failed" },
): RunStep {
  if (run.state !== "joining" && run.state !== "imaging") {
    return ignore(run, "no-use");
  }
  switch (event.type) {
    case "session-joined":
      return {
        ...step({ ...run, session: { joined: event.joined, expected: event.expected } }, []),
        mustStore: false,
      };
    case "session-started":
      return run.state === "joining"
        ? step({ ...run, state: "imaging", deadlineAtMs: context.nowMs + context.limits.stallMs }, [])
        : ignore(run, "no-use");
    case "session-failed":
      return fail(run, { code: "session-failed", text: bounded(event.reason) }, [
        { type: "cancel-task", computerId: run.computerId, key: taskKeyOf(run) },
        ...leaveCurrent(context, run, "failed"),
      ]);
  }
}

function timer(context: RunContext, run: Run): RunStep {
  const { nowMs, limits } = context;
  if (run.state === "waiting" && run.resumeAtMs !== null && run.resumeAtMs <= nowMs) {
    return resumeAfterWait(context, run);
  }
  if (run.deadlineAtMs !== null && run.deadlineAtMs <= nowMs) {
    return deadlinePassed(context, run);
  }
  if (run.wakeAgainAtMs === null || run.wakeAgainAtMs > nowMs) {
    return ignore(run, "nothing-due");
  }
  if (run.connection !== null) {
    return step({ ...run, wakeAgainAtMs: null }, []);
  }
  return step({ ...run, wakeAgainAtMs: nowMs + limits.wakeAgainMs }, [
    { type: "wake", computerId: run.computerId },
  ]);
}

function deadlinePassed(context: RunContext, run: Run): RunStep {
  const { job, limits } = context;
  const task = tasksOf(job, run)[run.taskIndex];
  if (run.state === "running" && task?.kind === "power-off" && run.connection === null) {
    return goTo(context, run, run.taskIndex + 1);
  }
  return fail(run, timeoutReason(job, run, limits), abandon(context, run, "failed"));
}

/** A run that waits for something else waits at least so long; one that works goes on to the end of its task. */
function defer(run: Run, untilMs: number): RunStep {
  const isWaiting = run.state === "waiting" && run.resumeAtMs !== null && run.resumeAtMs < untilMs;
  return step({ ...run, notBeforeAtMs: untilMs, resumeAtMs: isWaiting ? untilMs : run.resumeAtMs }, []);
}

function cancel(context: RunContext, run: Run, by: string): RunStep {
  const task = tasksOf(context.job, run)[run.taskIndex];
  const isWriting = run.state === "imaging" && task?.kind === "deploy-image";
  const left = isWriting
    ? " Its disk is half written."
    : run.state === "installing"
      ? " Its installer was started, and works on unless somebody switches the computer off."
      : "";
  const text = `Cancelled by ${bounded(by)}.${left}`;
  return ended(run, "cancelled", { code: "cancelled", text }, abandon(context, run, "cancelled"));
}

/** Tells agent and session that nobody waits for the current task any more. */
function abandon(context: RunContext, run: Run, why: "failed" | "cancelled"): readonly RunEffect[] {
  if (!isInTask(run)) {
    return [];
  }
  return [
    { type: "cancel-task", computerId: run.computerId, key: taskKeyOf(run) },
    ...leaveCurrent(context, run, why),
  ];
}

function leaveCurrent({ job }: RunContext, run: Run, why: "failed" | "cancelled"): readonly RunEffect[] {
  const task = tasksOf(job, run)[run.taskIndex];
  return task === undefined ? [] : leaveTask(run, task, why);
}

/**
 * Connections and sessions died with the old process, deadlines did not. Nothing is sent: the agents come back by
 * themselves and say what they have done.
 */
function serverRestarted({ job, nowMs, limits }: RunContext, run: Run): RunStep {
  const away: Run = { ...run, connection: null, session: null };
  if (run.state === "waiting") {
    return step(away, []);
  }
  const atLeast = (durationMs: number): number => Math.max(run.deadlineAtMs ?? 0, nowMs + durationMs);
  const isWaiting = run.state === "waking" || run.state === "restarting";
  const kind = tasksOf(job, run)[run.taskIndex]?.kind;
  const isPowerTask = run.state === "running" && (kind === "restart" || kind === "power-off");
  return step(
    {
      ...away,
      deadlineAtMs: atLeast(isWaiting || isPowerTask ? limits.serverGraceMs : limits.reconnectMs),
      wakeAgainAtMs: isWaiting ? nowMs + limits.serverGraceMs : run.wakeAgainAtMs,
    },
    [],
  );
}
