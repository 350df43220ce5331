import type { RestoreRequest, Task } from "#engine/job/job.ts";
import type { RestoreOptions } from "#wire/control/image-task-message.ts";
import type { TaskMessage, TransferAccess } from "#wire/control/task-message.ts";
import type { RenderedInstaller } from "./installer-answers.ts";

/** Of one computer, for texts that name them: `pc-{serial}`. */
export type ComputerTexts = { readonly name: string; readonly serial: string; readonly mac: string };

function fill(text: string, texts: ComputerTexts): string {
  return text
    .replaceAll("{name}", texts.name)
    .replaceAll("{serial}", texts.serial)
    .replaceAll("{mac}", texts.mac.replaceAll(":", ""));
}

/** A task as its agent gets it, where it brings no content along. */
export function toTask(task: Task, texts: ComputerTexts): TaskMessage["task"] {
  switch (task.kind) {
    case "run-script": {
      const { kind, script, interpreter, timeoutMs } = task;
      return { kind, script, interpreter, timeoutMs };
    }
    case "copy-file": {
      const { kind, destination, mode } = task;
      return { kind, content: null, destination, mode };
    }
    case "uninstall-package": {
      const { kind, packageName, packageKind, command, detection, timeoutMs } = task;
      return { kind, name: packageName, packageKind, command, detection, timeoutMs };
    }
    case "set-configuration": {
      const { kind, hostName, domain, network } = task;
      return { kind, hostName: hostName === null ? null : fill(hostName, texts), domain, network };
    }
    case "inventory":
    case "restart":
    case "power-off":
      return { kind: task.kind };
    case "deploy-image":
    case "deploy-installer":
    case "capture-image":
    case "install-package":
    case "capture-user-data":
    case "restore-user-data":
      throw new Error(`a ${task.kind} task needs a transfer`);
    case "wake":
    case "wait":
      throw new Error(`a ${task.kind} task is the server's own`);
  }
}

/** A task as its agent gets it, with the right to what it brings along. */
export function toContentTask(
  task: Task,
  transfer: TransferAccess,
  made: {
    readonly restoreOptions: (request: RestoreRequest | undefined) => RestoreOptions;
    /** For this computer alone; `null` where the task is no installer's. */
    readonly installer: RenderedInstaller | null;
  },
): TaskMessage["task"] {
  if (task.kind === "deploy-image") {
    const { kind, imageId, disk, options } = task;
    return { kind, imageId, disk, options: made.restoreOptions(options), transfer };
  }
  if (task.kind === "deploy-installer" && made.installer !== null) {
    const { kind, kernelSizeBytes } = task;
    return { kind, kernelSizeBytes, ...made.installer, content: { ...task.content, transfer } };
  }
  if (task.kind === "copy-file") {
    const { kind, content, destination, mode } = task;
    return { kind, content: content === null ? null : { ...content, transfer }, destination, mode };
  }
  if (task.kind === "install-package") {
    const { kind, packageName, version, packageKind, fileName, args, detection, timeoutMs } = task;
    return {
      ...{ kind, name: packageName, version, packageKind, fileName, args, detection, timeoutMs },
      content: { ...task.content, transfer },
    };
  }
  throw new Error(`a ${task.kind} task brings no content along`);
}
