import { holds, type Facts } from "./condition.ts";
import type { DiskRule, Environment, Job, Task } from "./job.ts";
import { nextOpenAtMs } from "./maintenance-window.ts";
import { isDestructive, isSharedContent, taskEnvironment } from "./task-traits.ts";

/** One thing that would happen, in words. */
export type PreviewStep = {
  readonly text: string;
  /** `null`: between tasks. */
  readonly taskIndex: number | null;
  readonly isDestructive: boolean;
};

export type Preview = {
  /** Name of the condition that would hold; `null`: the job's own tasks. */
  readonly condition: string | null;
  readonly steps: readonly PreviewStep[];
  /** When work may begin, epoch ms. */
  readonly opensAtMs: number;
};

/**
 * What a job would do on one computer as it is now, with nothing done. Every task is taken to end well.
 *
 * @param environment where its agent is now; `null`: it is off, or without an agent
 */
export function previewRun(job: Job, facts: Facts, environment: Environment | null, nowMs: number): Preview {
  const found = job.conditions.find(({ when }) => holds(when, facts));
  const tasks = found?.tasks ?? job.tasks;
  const steps: PreviewStep[] = [];
  const between = (text: string): void => {
    steps.push({ text, taskIndex: null, isDestructive: false });
  };
  let place = environment;
  let mustReturn = environment === "os";
  for (const [taskIndex, task] of tasks.entries()) {
    const needed = taskEnvironment(task);
    if (place === null && task.kind !== "wait") {
      between(`is woken${needed === "preboot" ? " and boots into preboot" : ""}`);
      place = needed === "any" ? "os" : needed;
    } else if (place !== null && needed !== "any" && needed !== place) {
      between(needed === "preboot" ? "restarts into preboot" : "restarts into its installed system");
      place = needed;
    }
    steps.push({ text: describeTask(task), taskIndex, isDestructive: isDestructive(task) });
    mustReturn ||= task.kind === "deploy-image";
    if (task.kind === "deploy-installer") {
      between("waits for the agent of the installed system");
      place = "os";
    }
    place = task.kind === "power-off" ? null : place;
  }
  if (mustReturn && place === "preboot") {
    between("restarts into its installed system");
  }
  return { condition: found?.name ?? null, steps, opensAtMs: nextOpenAtMs(job.windows, nowMs) };
}

/** A task in one line, for people. */
export function describeTask(task: Task): string {
  switch (task.kind) {
    case "deploy-image":
      return `writes image ${task.imageName} over its disk (${describeDisk(task.disk)})`;
    case "deploy-installer":
      return `starts the installer ${task.installerName}, which erases its disk ${howSent(task)}`;
    case "capture-image":
      return `stores ${describeDisk(task.disk)} as image ${task.imageName}`;
    case "run-script":
      return `runs a script of ${task.script.split("\n").length} lines with ${task.interpreter}`;
    case "copy-file":
      return `gets ${task.source} as ${task.destination} ${howSent(task)}`;
    case "install-package":
      return `installs ${task.packageName} ${task.version} unless it is there ${howSent(task)}`;
    case "uninstall-package":
      return `removes ${task.packageName}`;
    case "set-configuration":
      return `sets ${[
        ...(task.hostName === null ? [] : [`host name ${task.hostName}`]),
        ...(task.domain === null ? [] : [`domain ${task.domain}`]),
        ...(task.network === null ? [] : [`network (${task.network.type})`]),
      ].join(", ")}`;
    case "inventory":
      return "tells its inventory";
    case "capture-user-data":
      return `stores user data ${task.name}: ${task.paths.join(", ")}`;
    case "restore-user-data":
      return `gets user data ${task.name} back`;
    case "wake":
      return "is woken if it sleeps";
    case "restart":
      return "restarts";
    case "power-off":
      return "switches off";
    case "wait":
      return `waits ${Math.round(task.durationMs / 1000)} s`;
  }
}

function howSent(task: Task): string {
  return isSharedContent(task) ? "(sent once to all)" : "(sent to each)";
}

function describeDisk(disk: DiskRule): string {
  return typeof disk === "string" ? "its only disk" : `the disk with ${JSON.stringify(disk).slice(1, -1)}`;
}
