import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskContext, TaskOutcome } from "../task.ts";

const outputCharactersMax = 900;

/** Runs a script with its interpreter; the script is a file, so nothing of it is read by a shell on the way. */
export async function runScript(
  task: { readonly script: string; readonly interpreter: string; readonly timeoutMs: number },
  context: Pick<TaskContext, "signal">,
): Promise<TaskOutcome> {
  const folder = await mkdtemp(join(tmpdir(), "portolan-task-"));
  const path = join(folder, "script");
  try {
    await writeFile(path, task.script, { mode: 0o700 });
    return await new Promise<TaskOutcome>((resolve) => {
      const child = spawn(task.interpreter, [path], {
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe"],
        timeout: task.timeoutMs,
        killSignal: "SIGKILL",
        signal: context.signal,
      });
      let output = "";
      const append = (part: Buffer): void => {
        // The end of the output tells why it failed.
        output = (output + part.toString("utf8")).slice(-outputCharactersMax);
      };
      child.stdout.on("data", append);
      child.stderr.on("data", append);
      child.once("error", (error) => resolve({ outcome: "failed", reason: error.message }));
      child.once("close", (code, signal) => {
        const how = signal === null ? `exit code ${code}` : `ended by ${signal} (limit ${task.timeoutMs} ms)`;
        resolve(
          code === 0
            ? { outcome: "done", reason: null }
            : { outcome: "failed", reason: `${how}: ${output.trim()}` },
        );
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
