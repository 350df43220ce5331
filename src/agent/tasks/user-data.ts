import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "#platform/run-program.ts";
import type { OsTaskMessage } from "#wire/control/os-task-message.ts";
import { uploadFile } from "../imaging/upload-file.ts";
import { connectTransfer } from "../imaging/connect-transfer.ts";
import type { TaskContext, TaskOutcome } from "../task.ts";
import { outcomeOf } from "./describe-outcome.ts";
import { receiveContent } from "./receive-content.ts";

type CaptureTask = Extract<OsTaskMessage, { kind: "capture-user-data" }>;
type RestoreTask = Extract<OsTaskMessage, { kind: "restore-user-data" }>;

const archiveMs = 6 * 3_600_000;

/** Owners, modes, links and extended attributes go along: a home folder is nothing without them. */
const fidelity = ["--numeric-owner", "--acls", "--xattrs"];

async function runTar(args: readonly string[], context: TaskContext): Promise<TaskOutcome> {
  const outcome = await runProgram({
    program: "tar",
    args,
    timeoutMs: archiveMs,
    outputBytesMax: 900,
    signal: context.signal,
  });
  // 1: a file changed while it was read, which files of a living system do.
  const hasChanged = outcome.type === "exited" && outcome.exitCode === 1 && args.includes("--create");
  return hasChanged ? { outcome: "done", reason: null } : outcomeOf(outcome, archiveMs);
}

/** Packs the folders that are there and stores them on the server under this computer's name. */
export async function captureUserData(
  task: CaptureTask,
  context: TaskContext,
  stateDir: string,
  root = "/",
): Promise<TaskOutcome> {
  const paths = task.paths.map((path) => path.replace(/^\/+/, "")).filter((path) => path !== "");
  const found = paths.filter((path) => existsSync(join(root, path)));
  if (found.length === 0) {
    return { outcome: "failed", reason: `none of ${task.paths.join(", ")} is on this computer` };
  }
  const folder = join(stateDir, "outgoing");
  const archive = join(folder, "user-data.tar");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    context.report({ doneBytes: 0, totalBytes: 0, transport: null, stage: "packing" });
    const excludes = task.exclude.map((pattern) => `--exclude=${pattern.replace(/^\/+/, "")}`);
    const packed = await runTar(
      ["--create", "--file", archive, "--directory", root, ...fidelity, ...excludes, "--", ...found],
      context,
    );
    if (packed.outcome === "failed") {
      return packed;
    }
    const transfer = await connectTransfer(context, task.transfer);
    try {
      await uploadFile(transfer, { path: archive, name: task.name }, (doneBytes, totalBytes) =>
        context.report({ doneBytes, totalBytes, transport: "unicast", stage: "sending" }),
      );
    } finally {
      transfer.close();
    }
    return { outcome: "done", reason: null };
  } finally {
    await rm(archive, { force: true });
  }
}

/** Fetches what was captured and puts it back at its places, over what is there. */
export async function restoreUserData(
  task: RestoreTask,
  context: TaskContext,
  stateDir: string,
  root = "/",
): Promise<TaskOutcome> {
  const folder = join(stateDir, "incoming", task.content.contentId);
  const archive = join(folder, "user-data.tar");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await receiveContent(task.content, archive, context);
  context.report({
    doneBytes: task.content.sizeBytes,
    totalBytes: task.content.sizeBytes,
    transport: null,
    stage: "unpacking",
  });
  const outcome = await runTar(
    ["--extract", "--file", archive, "--directory", root, "--preserve-permissions", ...fidelity],
    context,
  );
  await rm(folder, { recursive: true, force: true });
  return outcome;
}
