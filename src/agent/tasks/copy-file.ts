import { chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { OsTaskMessage } from "#wire/control/os-task-message.ts";
import type { TaskContext, TaskOutcome } from "../task.ts";
import { receiveContent } from "./receive-content.ts";

type CopyFileTask = Extract<OsTaskMessage, { kind: "copy-file" }>;

/** Puts a file of the store at its place: beside it first, and under its name only when it is whole. */
export async function copyFile(task: CopyFileTask, context: TaskContext): Promise<TaskOutcome> {
  const { destination, content, mode } = task;
  if (!isAbsolute(destination)) {
    return { outcome: "failed", reason: `${destination} is no absolute path` };
  }
  const part = join(dirname(destination), `.${basename(destination)}.portolan-part`);
  await mkdir(dirname(destination), { recursive: true });
  if (content === null) {
    await writeFile(part, "");
  } else {
    await receiveContent(content, part, context);
  }
  await chmod(part, mode ?? 0o644);
  await rename(part, destination);
  return { outcome: "done", reason: null };
}
