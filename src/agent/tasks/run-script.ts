import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "#platform/run-program.ts";
import type { TaskContext, TaskOutcome } from "../task.ts";
import { outcomeOf } from "./describe-outcome.ts";

/** The end of the output tells why it failed. */
const outputBytesMax = 900;

/** Runs a script with its interpreter; the script is a file, so nothing of it is read by a shell on the way. */
export async function runScript(
  task: { readonly script: string; readonly interpreter: string; readonly timeoutMs: number },
  context: Pick<TaskContext, "signal">,
): Promise<TaskOutcome> {
  const folder = await mkdtemp(join(tmpdir(), "portolan-task-"));
  const path = join(folder, "script");
  try {
    await writeFile(path, task.script, { mode: 0o700 });
    const outcome = await runProgram({
      program: task.interpreter,
      args: [path],
      cwd: folder,
      timeoutMs: task.timeoutMs,
      outputBytesMax,
      signal: context.signal,
    });
    return outcomeOf(outcome, task.timeoutMs);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
