import type { Job } from "./job.ts";
import { taskKeyOf, tasksOf, type Run, type RunReason } from "./run.ts";
import type { RunLimits } from "./run-limits.ts";

const textLengthMax = 500;

/** Text from a computer, made safe for one line. */
export function bounded(text: string): string {
  return Array.from(text, (letter) => (letter < " " || letter === "\u007f" ? " " : letter))
    .join("")
    .slice(0, textLengthMax);
}

function minutes(durationMs: number): string {
  return durationMs < 120_000
    ? `${Math.round(durationMs / 1000)} s`
    : `${Math.round(durationMs / 60_000)} min`;
}

/** Why a deadline that has passed ends the run, in words that say what to look at. */
export function timeoutReason(job: Job, run: Run, limits: RunLimits): RunReason {
  switch (run.state) {
    case "waking":
    case "restarting":
      return run.target === "preboot" ? prebootTimeout(run, limits) : osTimeout(run, limits);
    case "joining":
      return run.connection === null ? lost(job, run, limits) : notStarted(run, limits);
    case "imaging":
      return run.connection === null
        ? lost(job, run, limits)
        : {
            code: "no-progress",
            text: `${contentWord(job, run)} made no progress for ${minutes(limits.stallMs)} at ${percentText(run)}: look at the session (portolan session list) and at multicast on this segment.`,
          };
    case "installing":
      return installerTimeout(job, run);
    case "running":
    case "queued":
    case "waiting":
    case "done":
    case "failed":
    case "cancelled":
    case "skipped":
      return taskTimeout(job, run, limits);
  }
}

function taskTimeout(job: Job, run: Run, limits: RunLimits): RunReason {
  const task = tasksOf(job, run)[run.taskIndex];
  if (task?.kind === "restart") {
    return osTimeout(run, limits);
  }
  if (run.connection === null) {
    return lost(job, run, limits);
  }
  return task?.kind === "run-script" || task?.kind === "uninstall-package"
    ? {
        code: "script-timed-out",
        text: `The task ${task.kind} did not end within ${minutes(task.timeoutMs)}.`,
      }
    : { code: "no-progress", text: `Task ${taskKeyOf(run)} did not end in time.` };
}

function contentWord(job: Job, run: Run): string {
  const task = tasksOf(job, run)[run.taskIndex];
  if (task?.kind === "install-package") {
    return `The package ${task.packageName}`;
  }
  if (task?.kind === "deploy-installer") {
    return `The installer ${task.installerName}`;
  }
  return task?.kind === "copy-file" ? `The file ${task.destination}` : "The image";
}

function prebootTimeout(run: Run, limits: RunLimits): RunReason {
  const within = `within ${minutes(limits.prebootMs)}`;
  return run.bootOfferCount === 0
    ? {
        code: "no-boot-seen",
        text: `It did not boot into preboot ${within}, and no boot request was seen. Look at: power, cable and port; Wake-on-LAN and network boot (PXE) first in its firmware; the DHCP relay towards this server.`,
      }
    : {
        code: "boot-not-finished",
        text: `It asked for network boot, but preboot did not connect ${within}. Look at: portolan boot events ${run.computerId}; Secure Boot; its memory; TCP ports for control and boot files towards this server.`,
      };
}

function osTimeout(run: Run, limits: RunLimits): RunReason {
  const within = `within ${minutes(limits.osMs)}`;
  const restored = run.hasRestored ? "The image was restored and verified, but the" : "The";
  return {
    code: "no-agent-in-os",
    text: `${restored} agent of the installed system did not connect ${within}. Look at: whether it boots from its disk; whether the agent is installed there and knows this server; a computer waiting for approval (portolan computer list).`,
  };
}

function installerTimeout(job: Job, run: Run): RunReason {
  const task = tasksOf(job, run)[run.taskIndex];
  const limit = task?.kind === "deploy-installer" ? ` within ${minutes(task.timeoutMs)}` : "";
  return {
    code: "installer-timed-out",
    text: `The installer was started, but the agent of an installed system did not connect${limit}. Look at: the computer's screen, where the installer may ask something; whether its answer file installs the agent at its end ({{agentInstall}}); whether the computer boots from its disk; a computer waiting for approval (portolan computer list).`,
  };
}

function notStarted(run: Run, limits: RunLimits): RunReason {
  const counts =
    run.session === null ? "" : ` ${run.session.joined} of ${run.session.expected} computers had joined.`;
  return {
    code: "session-did-not-start",
    text: `The session did not start within ${minutes(limits.joinMs)}.${counts} Look at imaging.startCount and imaging.startAfterMs.`,
  };
}

function lost(job: Job, run: Run, limits: RunLimits): RunReason {
  const task = tasksOf(job, run)[run.taskIndex];
  const where = task?.kind === "deploy-image" ? `, at ${percentText(run)} of the image` : "";
  const disk = task?.kind === "deploy-image" ? " Its disk may be half written." : "";
  return {
    code: "connection-lost",
    text: `Its connection was lost during ${task?.kind ?? "a task"}${where}, and it was away for ${minutes(limits.reconnectMs)}.${disk} Look at its power and its cable.`,
  };
}

function percentText(run: Run): string {
  const { doneBytes = 0, totalBytes = 0 } = run.progress ?? {};
  return totalBytes === 0 ? "0 %" : `${Math.floor((100 * doneBytes) / totalBytes)} %`;
}
