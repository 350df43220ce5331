import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "#platform/run-program.ts";
import type { TaskContext, TaskOutcome } from "../task.ts";
import { outcomeOf } from "./describe-outcome.ts";

/** The end of the output tells why it failed. */
const outputBytesMax = 900;

/** Windows' own interpreters take a file by a word of their own, and only with the ending they know. */
export function scriptCall(interpreter: string): {
  readonly fileName: string;
  readonly words: readonly string[];
} {
  const name = (interpreter.split(/[/\\]/).at(-1) ?? "").toLowerCase().replace(/\.exe$/, "");
  switch (name) {
    case "powershell":
    case "pwsh":
      return {
        fileName: "script.ps1",
        words: ["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File"],
      };
    case "cmd":
      return { fileName: "script.cmd", words: ["/d", "/c"] };
    default:
      return { fileName: "script", words: [] };
  }
}

/** Runs a script with its interpreter; the script is a file, so nothing of it is read by a shell on the way. */
export async function runScript(
  task: { readonly script: string; readonly interpreter: string; readonly timeoutMs: number },
  context: Pick<TaskContext, "signal">,
): Promise<TaskOutcome> {
  const folder = await mkdtemp(join(tmpdir(), "portolan-task-"));
  const { fileName, words } = scriptCall(task.interpreter);
  const path = join(folder, fileName);
  try {
    await writeFile(path, task.script, { mode: 0o700 });
    const outcome = await runProgram({
      program: task.interpreter,
      args: [...words, path],
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
