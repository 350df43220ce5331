import { existsSync } from "node:fs";
import { mkdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "#platform/run-program.ts";
import type { TaskContext, TaskOutcome } from "../task.ts";
import { outcomeOf } from "./describe-outcome.ts";
import { packageFolder, readPackageRecord, removePackageRecord } from "./package-record.ts";

/** A tar of `files/…` (what lies there goes to the same place below `/`) and of the scripts beside it. */
const filesFolder = "files";
const installScript = "install.sh";
const uninstallScript = "uninstall.sh";
const listBytesMax = 16 << 20;

type Limits = { readonly timeoutMs: number; readonly signal: AbortSignal };

function tar(args: readonly string[], { timeoutMs, signal }: Limits): ReturnType<typeof runProgram> {
  return runProgram({ program: "tar", args, timeoutMs, outputBytesMax: listBytesMax, signal });
}

async function runScriptOf(folder: string, name: string, limits: Limits): Promise<TaskOutcome | null> {
  const path = join(folder, name);
  if (!existsSync(path)) {
    return null;
  }
  const { timeoutMs, signal } = limits;
  const outcome = await runProgram({
    program: "/bin/sh",
    args: [path],
    cwd: folder,
    timeoutMs,
    outputBytesMax: 900,
    signal,
  });
  return outcomeOf(outcome, timeoutMs);
}

/** Absolute paths of what is below `files/` in the listing of a tar, in its order. */
function filesOf(listing: string, root: string): string[] {
  return listing
    .split("\n")
    .map((line) => line.replace(/^\.\//, ""))
    .filter((line) => line.startsWith(`${filesFolder}/`) && line.length > filesFolder.length + 1)
    .map((line) => join(root, line.slice(filesFolder.length + 1)));
}

/**
 * Unpacks one of our bundles over the file system at `root` and runs its install script.
 *
 * @returns the outcome, and the paths that came from the bundle
 */
export async function installBundle(
  name: string,
  path: string,
  stateDir: string,
  context: Pick<TaskContext, "signal">,
  timeoutMs: number,
  root = "/",
): Promise<{ readonly outcome: TaskOutcome; readonly files: readonly string[] }> {
  const limits = { timeoutMs, signal: context.signal };
  const listing = await tar(["--list", "--file", path], limits);
  if (listing.type !== "exited" || listing.exitCode !== 0) {
    return { outcome: outcomeOf(listing, timeoutMs), files: [] };
  }
  const files = filesOf(listing.output, root);
  if (files.length > 0) {
    // Folders that are there keep their owner and mode.
    const args = ["--extract", "--file", path, "--directory", root, "--strip-components=1"];
    const placed = await tar([...args, "--no-overwrite-dir", "--preserve-permissions", filesFolder], limits);
    if (placed.type !== "exited" || placed.exitCode !== 0) {
      return { outcome: outcomeOf(placed, timeoutMs), files };
    }
  }
  const folder = join(packageFolder(stateDir, name), "scripts");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const scripts = await tar(
    ["--extract", "--file", path, "--directory", folder, "--exclude", filesFolder],
    limits,
  );
  if (scripts.type !== "exited" || scripts.exitCode !== 0) {
    return { outcome: outcomeOf(scripts, timeoutMs), files };
  }
  const outcome = await runScriptOf(folder, installScript, limits);
  return { outcome: outcome ?? { outcome: "done", reason: null }, files };
}

/** Runs the bundle's uninstall script, then removes the files it brought and the folders that are empty then. */
export async function uninstallBundle(
  name: string,
  stateDir: string,
  context: Pick<TaskContext, "signal">,
  timeoutMs: number,
): Promise<TaskOutcome> {
  const record = await readPackageRecord(stateDir, name);
  if (record === null) {
    return { outcome: "failed", reason: `no record of ${name} on this computer; it cannot be removed` };
  }
  const folder = join(packageFolder(stateDir, name), "scripts");
  const outcome = await runScriptOf(folder, uninstallScript, { timeoutMs, signal: context.signal });
  if (outcome?.outcome === "failed") {
    return outcome;
  }
  for (const path of record.files.toReversed()) {
    await removeIfOurs(path);
  }
  await removePackageRecord(stateDir, name);
  return { outcome: "done", reason: null };
}

/** A folder with anything else in it stays. */
async function removeIfOurs(path: string): Promise<void> {
  try {
    await (path.endsWith("/") ? rmdir(path) : rm(path));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!["ENOENT", "ENOTEMPTY", "EBUSY", "ENOTDIR", "EISDIR", "ERR_FS_EISDIR"].includes(code)) {
      throw error;
    }
  }
}
