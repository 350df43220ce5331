import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OsTaskMessage } from "#wire/control/os-task-message.ts";
import { readInventory } from "../inventory.ts";
import type { TaskContext, TaskOutcome } from "../task.ts";
import { copyFile } from "./copy-file.ts";
import { installPackage, uninstallPackage } from "./install-package.ts";
import { setConfiguration } from "./set-configuration.ts";
import { captureUserData, restoreUserData } from "./user-data.ts";

/** Does one of the tasks of a running system. `stateDir` is where the agent keeps what outlives it, where it has such. */
export async function doOsTask(
  task: OsTaskMessage,
  context: TaskContext,
  stateDir: string | null,
): Promise<TaskOutcome> {
  const folder = stateDir ?? join(tmpdir(), "portolan");
  switch (task.kind) {
    case "copy-file":
      return copyFile(task, context);
    case "install-package":
      return installPackage(task, context, folder);
    case "uninstall-package":
      return uninstallPackage(task, context, folder);
    case "set-configuration":
      return setConfiguration(task);
    case "inventory":
      context.send({ type: "inventory", inventory: readInventory() });
      return { outcome: "done", reason: null };
    case "capture-user-data":
      return captureUserData(task, context, folder);
    case "restore-user-data":
      return restoreUserData(task, context, folder);
  }
}
