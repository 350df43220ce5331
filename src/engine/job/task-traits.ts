import type { Environment, Task, TaskContent } from "./job.ts";

/** Where a task runs; `any` when it does not matter. */
export function taskEnvironment(task: Task): Environment | "any" {
  switch (task.kind) {
    case "deploy-image":
    case "deploy-installer":
    case "capture-image":
      return "preboot";
    case "run-script":
    case "copy-file":
      return task.environment;
    case "install-package":
    case "uninstall-package":
    case "set-configuration":
    case "capture-user-data":
    case "restore-user-data":
      return "os";
    case "inventory":
    case "wake":
    case "restart":
    case "power-off":
    case "wait":
      return "any";
  }
}

/**
 * Whether a task may be begun again when nobody knows whether it ended: each attempt comes to the same end. Chunks of an
 * image have one place and one hash; a package asks its detection rule first. An installer is fetched anew only as long as
 * it was not told to start: what comes after that is decided in `installer-run.ts`.
 */
export function isRepeatable(task: Task): boolean {
  switch (task.kind) {
    case "run-script":
      return task.isRepeatable ?? false;
    case "deploy-image":
    case "deploy-installer":
    case "capture-image":
    case "copy-file":
    case "install-package":
    case "uninstall-package":
    case "set-configuration":
    case "inventory":
    case "capture-user-data":
    case "restore-user-data":
      return true;
    case "wake":
    case "restart":
    case "power-off":
    case "wait":
      return false;
  }
}

/** Whether it destroys what was on the computer. */
export function isDestructive(task: Task): boolean {
  return task.kind === "deploy-image" || task.kind === "deploy-installer";
}

/** What the task brings to the computer by a session; `null` for none. `sizeBytes` is unknown for images. */
export function sessionContentOf(
  task: Task,
): { readonly contentId: string; readonly sizeBytes: number | null } | null {
  switch (task.kind) {
    case "deploy-image":
      return { contentId: task.imageId, sizeBytes: null };
    case "deploy-installer":
    case "copy-file":
    case "install-package":
      return task.content satisfies TaskContent | null;
    case "capture-image":
    case "run-script":
    case "uninstall-package":
    case "set-configuration":
    case "inventory":
    case "capture-user-data":
    case "restore-user-data":
    case "wake":
    case "restart":
    case "power-off":
    case "wait":
      return null;
  }
}

/** Whether the computer sends something to the store. */
export function isUpload(task: Task): boolean {
  return task.kind === "capture-image" || task.kind === "capture-user-data";
}

/** Smaller content goes to each computer alone, at once: waiting for the others would take longer than sending it. */
const sharedSizeBytesMin = 8 << 20;

/** Whether all computers of a job share one transmission of this task's content. */
export function isSharedContent(task: Task): boolean {
  const content = sessionContentOf(task);
  return content !== null && (content.sizeBytes === null || content.sizeBytes >= sharedSizeBytesMin);
}

/** How long the agent may work on it without a sign of progress; `null`: the engine's own limits. */
export function timeLimitMs(task: Task): number | null {
  switch (task.kind) {
    case "run-script":
    case "install-package":
    case "uninstall-package":
      return task.timeoutMs;
    case "deploy-image":
    case "deploy-installer":
    case "capture-image":
    case "copy-file":
    case "set-configuration":
    case "inventory":
    case "capture-user-data":
    case "restore-user-data":
    case "wake":
    case "restart":
    case "power-off":
    case "wait":
      return null;
  }
}
