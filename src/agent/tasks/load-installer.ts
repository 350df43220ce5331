import { createReadStream, createWriteStream, readFileSync } from "node:fs";
import { mkdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type ProgramOutcome, runProgram } from "#platform/run-program.ts";
import { encodeNewcArchive, fillBeforeArchive } from "#wire/cpio/newc.ts";
import type { InstallerTaskMessage } from "#wire/control/installer-task-message.ts";
import { isSecureBoot } from "../inventory.ts";
import type { TaskContext, TaskOutcome } from "../task.ts";
import { outcomeOf } from "./describe-outcome.ts";
import { receiveContent } from "./receive-content.ts";

const kexecMs = 120_000;
const outputBytesMax = 600;

function kexec(...args: readonly string[]): Promise<ProgramOutcome> {
  return runProgram({ program: "kexec", args, timeoutMs: kexecMs, outputBytesMax });
}

/**
 * Brings an installer into memory: fetched, every chunk checked, its initrd followed by an archive with this computer's
 * answers. What it is then started by is another order, which the server gives once it knows of this.
 */
export async function loadInstaller(task: InstallerTaskMessage, context: TaskContext): Promise<TaskOutcome> {
  const { content } = task;
  const folder = join(tmpdir(), "portolan-installer");
  // Answers of an earlier order may lie there, and memory is short.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const [both, initrd] = [join(folder, "kernel"), join(folder, "initrd")];
    await receiveContent(content, both, context, "fetching installer");
    const { sizeBytes } = content;
    context.report({
      doneBytes: sizeBytes,
      totalBytes: sizeBytes,
      transport: null,
      stage: "loading installer",
    });
    await splitInitrd(both, initrd, task);
    return await load(both, initrd, task.commandLine, context);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The kernel stays where both were, so that memory holds nothing twice but the initrd, for a moment. */
async function splitInitrd(
  both: string,
  initrd: string,
  { content, kernelSizeBytes, answers }: InstallerTaskMessage,
): Promise<void> {
  await pipeline(
    createReadStream(both, { start: kernelSizeBytes, highWaterMark: 1 << 20 }),
    createWriteStream(initrd, { mode: 0o600 }),
  );
  await truncate(both, kernelSizeBytes);
  if (answers !== null) {
    const file = { name: answers.fileName, content: Buffer.from(answers.text), mode: 0o600 };
    const tail = createWriteStream(initrd, { flags: "a" });
    tail.write(fillBeforeArchive(content.sizeBytes - kernelSizeBytes));
    await pipeline([Buffer.from(encodeNewcArchive([file]))], tail);
  }
}

/** By the file first, which alone a locked-down kernel takes; by the older call where the kernel has no other. */
async function load(
  kernel: string,
  initrd: string,
  commandLine: string,
  context: TaskContext,
): Promise<TaskOutcome> {
  const words = ["--load", kernel, `--initrd=${initrd}`, `--command-line=${commandLine}`];
  const first = await kexec("--kexec-file-syscall", ...words);
  if (first.type === "exited" && first.exitCode === 0) {
    return { outcome: "done", reason: null };
  }
  const why = outcomeOf(first, kexecMs).reason ?? "";
  if (first.type !== "exited") {
    return { outcome: "failed", reason: `kexec: ${why}` };
  }
  if (isLockedDown()) {
    return {
      outcome: "failed",
      reason: `Secure Boot: preboot's kernel starts no kernel but one signed by a key it trusts, which are the firmware's and the distribution's own. This installer's kernel was refused: use a signed one of the same distribution, or switch Secure Boot off for the installation. kexec: ${why}`,
    };
  }
  context.say("kexec takes no file here; the older way is tried");
  const second = outcomeOf(await kexec(...words), kexecMs);
  return second.outcome === "done"
    ? { outcome: "done", reason: null }
    : {
        outcome: "failed",
        reason: `kexec could not load this kernel: ${why}; the older way: ${second.reason ?? ""}`,
      };
}

/** The kernel says so where it tells at all; Secure Boot locks Debian's down. */
function isLockedDown(): boolean {
  try {
    return !readFileSync("/sys/kernel/security/lockdown", "utf8").includes("[none]");
  } catch {
    return isSecureBoot();
  }
}

/** Ends this system at once and enters the installer: it comes back only to say that it could not. */
export async function startInstaller(): Promise<TaskOutcome> {
  const ended = outcomeOf(await kexec("--exec"), kexecMs);
  return {
    outcome: "failed",
    reason: `kexec did not enter the installer: ${ended.reason ?? "it ended and the computer is still in preboot"}`,
  };
}
