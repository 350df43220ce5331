import { type Environment, sessionKeyOf, type Task, taskEnvironment } from "./job.ts";
import type { RunEffect, RunStep, TaskReport } from "./run-event.ts";
import { bounded } from "./run-reasons.ts";
import { type Connection, restartKeyOf, type Run, taskKeyOf } from "./run.ts";
import { ended, fail, type RunContext, step } from "./run-step.ts";

/** Brings the computer to where the current task runs, or hands the task over when it is there. */
export function beginTask(context: RunContext, run: Run): RunStep {
  const task = context.job.tasks[run.taskIndex];
  if (task === undefined) {
    return returnToOs(context, run);
  }
  return reach(context, run, taskEnvironment(task), () => sendTask(context, run, task));
}

/** After the last task: a computer that lives on its disk, or now has a new one, goes back there. */
function returnToOs(context: RunContext, run: Run): RunStep {
  const mustReturn = run.hasRestored || run.startedIn === "os";
  const isPoweredOff = context.job.tasks.at(-1)?.kind === "power-off";
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

/** Hands the current task to the agent. Repeating it under the same key is safe: the agent begins each key once. */
export function sendTask({ nowMs, limits }: RunContext, run: Run, task: Task): RunStep {
  const key = taskKeyOf(run);
  const { computerId } = run;
  const sent: Run = {
    ...run,
    target: null,
    wakeAgainAtMs: null,
    restartCount: 0,
    bootOfferCount: 0,
    progress: null,
    sentTo: run.connection?.agentRunId ?? null,
  };
  switch (task.kind) {
    case "deploy-image":
      return step({ ...sent, state: "joining", deadlineAtMs: nowMs + limits.joinMs }, [
        joinSession(sent, task, false),
      ]);
    case "capture-image":
      return step({ ...sent, state: "imaging", deadlineAtMs: nowMs + limits.stallMs }, [
        { type: "send-task", computerId, key, task },
      ]);
    case "run-script":
      return step(
        { ...sent, state: "running", deadlineAtMs: nowMs + task.timeoutMs + limits.scriptGraceMs },
        [{ type: "send-task", computerId, key, task }],
      );
    case "restart":
      return step({ ...sent, state: "running", deadlineAtMs: nowMs + limits.osMs }, [
        { type: "send-task", computerId, key, task },
      ]);
    case "power-off":
      return step({ ...sent, state: "running", deadlineAtMs: nowMs + limits.powerOffMs }, [
        { type: "send-task", computerId, key, task },
      ]);
  }
}

function joinSession(run: Run, task: Task & { kind: "deploy-image" }, isResumed: boolean): RunEffect {
  return {
    type: "join-session",
    sessionKey: sessionKeyOf(run.jobId, run.taskIndex),
    computerId: run.computerId,
    taskKey: taskKeyOf(run),
    imageId: task.imageId,
    isResumed,
  };
}

export function leaveSession(run: Run, why: "finished" | "failed" | "cancelled"): RunEffect {
  return {
    type: "leave-session",
    sessionKey: sessionKeyOf(run.jobId, run.taskIndex),
    computerId: run.computerId,
    why,
  };
}

/** Goes on from what the agent says of the task: done, failed, still at it, or nothing at all. */
export function resumeTask(
  context: RunContext,
  run: Run,
  connection: Connection | null,
  reports: readonly TaskReport[],
): RunStep {
  const task = context.job.tasks[run.taskIndex];
  if (task === undefined) {
    return beginTask(context, run);
  }
  const report = reports.find((candidate) => candidate.key === taskKeyOf(run));
  switch (report?.outcome) {
    case "done":
      // A restart is done when the computer is back, not when its agent says that it goes.
      return task.kind === "restart" || task.kind === "power-off"
        ? step(run, [])
        : finishTask(context, run, task);
    case "failed":
      return fail(
        run,
        { code: "task-failed", text: bounded(report.reason ?? "The agent gave no reason.") },
        task.kind === "deploy-image" ? [leaveSession(run, "failed")] : [],
      );
    case "running":
      return stillRunning(context, run, task);
    case undefined:
      return connection === null ? step(run, []) : withoutReport(context, run, task, connection);
  }
}

function stillRunning({ nowMs, limits }: RunContext, run: Run, task: Task): RunStep {
  if (task.kind === "capture-image") {
    // Again, under the same key: the server may be another process now, whose transfer right the agent needs.
    const { computerId } = run;
    return step({ ...run, deadlineAtMs: nowMs + limits.stallMs }, [
      { type: "send-task", computerId, key: taskKeyOf(run), task },
    ]);
  }
  if (task.kind !== "deploy-image") {
    return step(run, []);
  }
  const deadlineAtMs = nowMs + (run.state === "joining" ? limits.joinMs : limits.stallMs);
  return step({ ...run, deadlineAtMs }, [joinSession(run, task, true)]);
}

function finishTask(context: RunContext, run: Run, task: Task): RunStep {
  const isDeploy = task.kind === "deploy-image";
  const next: Run = {
    ...run,
    taskIndex: run.taskIndex + 1,
    attempt: 1,
    sentTo: null,
    session: null,
    deadlineAtMs: null,
    hasRestored: run.hasRestored || isDeploy,
  };
  const begun = beginTask(context, next);
  const effects: RunEffect[] = isDeploy
    ? [
        { type: "record-deployment", computerId: run.computerId, imageId: task.imageId },
        leaveSession(run, "finished"),
        ...begun.effects,
      ]
    : [...begun.effects];
  return { ...begun, effects };
}

/** The agent does not know the task: it never got it, or it is another process now. */
function withoutReport(context: RunContext, run: Run, task: Task, connection: Connection): RunStep {
  const { limits } = context;
  if (run.sentTo === connection.agentRunId) {
    return sendTask(context, run, task);
  }
  switch (task.kind) {
    case "restart":
    case "power-off":
      return finishTask(context, run, task);
    case "run-script":
      return fail(run, {
        code: "outcome-unknown",
        text: "The computer was restarted while the script ran; whether it ended is not known, so it is not run again.",
      });
    case "capture-image":
      if (run.attempt >= limits.attemptsMax) {
        const text = `The capture was begun ${run.attempt} times and the computer restarted each time before the end.`;
        return fail(run, { code: "too-many-attempts", text });
      }
      // What was stored is not sent again: the store knows each chunk by its hash.
      return beginTask(context, { ...run, attempt: run.attempt + 1, sentTo: null });
    case "deploy-image": {
      // Writing an image again is the same as writing it once: every chunk has one place and one hash.
      if (run.attempt >= limits.attemptsMax) {
        const text = `The image was begun ${run.attempt} times and the computer restarted each time before the end.`;
        return fail(run, { code: "too-many-attempts", text }, [leaveSession(run, "failed")]);
      }
      const begun = beginTask(context, { ...run, attempt: run.attempt + 1, sentTo: null, session: null });
      return { ...begun, effects: [leaveSession(run, "failed"), ...begun.effects] };
    }
  }
}
