import { chmod, mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { installCommand, judgeInstaller, uninstallCommand } from "#engine/package/package-commands.ts";
import { runProgram } from "#platform/run-program.ts";
import type { OsTaskMessage } from "#wire/control/os-task-message.ts";
import type { TaskContext, TaskOutcome } from "../task.ts";
import { outcomeOf } from "./describe-outcome.ts";
import { hasProgram, isDetected } from "./detect-package.ts";
import { installBundle, uninstallBundle } from "./install-bundle.ts";
import { removePackageRecord, writePackageRecord } from "./package-record.ts";
import { receiveContent } from "./receive-content.ts";

type InstallTask = Extract<OsTaskMessage, { kind: "install-package" }>;
type UninstallTask = Extract<OsTaskMessage, { kind: "uninstall-package" }>;

const outputBytesMax = 900;
const quiet = { DEBIAN_FRONTEND: "noninteractive" };

function environment(): Record<string, string> {
  const own = Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return { ...Object.fromEntries(own), ...quiet };
}

/** Installs a package unless its detection rule finds it already, and lets the rule say whether it is there in the end. */
export async function installPackage(
  task: InstallTask,
  context: TaskContext,
  stateDir: string,
): Promise<TaskOutcome> {
  const { name, version, content, detection, packageKind } = task;
  if (await isDetected(detection, { name, version, packageKind }, stateDir)) {
    context.say(`${name} ${version} is installed already`);
    return { outcome: "done", reason: null, exitCode: 0 };
  }
  const folder = join(stateDir, "incoming", content.contentId);
  const path = join(folder, basename(task.fileName));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await receiveContent(content, path, context);
  // An exe is run as it is.
  await chmod(path, 0o700);
  context.report({
    doneBytes: content.sizeBytes,
    totalBytes: content.sizeBytes,
    transport: null,
    stage: "installing",
  });
  const { outcome, files } = await install(task, path, context, stateDir);
  if (outcome.outcome === "failed") {
    return outcome;
  }
  await writePackageRecord(stateDir, { name, version, contentId: content.contentId, files });
  await rm(folder, { recursive: true, force: true });
  const isThere = await isDetected(detection, { name, version, packageKind }, stateDir);
  return isThere
    ? outcome
    : {
        outcome: "failed",
        reason: `its installer ended well, but the package's detection rule (${detection.type}) does not find ${name} ${version}`,
      };
}

async function install(
  task: InstallTask,
  path: string,
  context: TaskContext,
  stateDir: string,
): Promise<{ readonly outcome: TaskOutcome; readonly files: readonly string[] }> {
  const { packageKind, args, timeoutMs } = task;
  const command = installCommand(packageKind, path, args, hasProgram);
  if (command === null) {
    return installBundle(task.name, path, stateDir, context, timeoutMs);
  }
  const ended = await runProgram({
    ...command,
    env: environment(),
    timeoutMs,
    outputBytesMax,
    signal: context.signal,
  });
  const isGood = ended.type === "exited" && judgeInstaller(packageKind, ended.exitCode) !== "failed";
  const outcome: TaskOutcome = isGood
    ? { outcome: "done", reason: null, exitCode: ended.exitCode }
    : outcomeOf(ended, timeoutMs);
  return { outcome, files: [] };
}

export async function uninstallPackage(
  task: UninstallTask,
  context: TaskContext,
  stateDir: string,
): Promise<TaskOutcome> {
  const { name, packageKind, detection, timeoutMs } = task;
  if (!(await isDetected(detection, { name, version: null, packageKind }, stateDir))) {
    context.say(`${name} is not installed`);
    return { outcome: "done", reason: null, exitCode: 0 };
  }
  if (packageKind === "bundle") {
    return uninstallBundle(name, stateDir, context, timeoutMs);
  }
  const [program, ...args] = task.command;
  const ofPackage = program === undefined ? null : { program, args };
  const command = ofPackage ?? uninstallCommand(packageKind, name, hasProgram);
  if (command === null) {
    return {
      outcome: "failed",
      reason: `a package of kind ${packageKind} needs an uninstall command; portolan package add --uninstall sets one`,
    };
  }
  const ended = await runProgram({
    ...command,
    env: environment(),
    timeoutMs,
    outputBytesMax,
    signal: context.signal,
  });
  const outcome = outcomeOf(ended, timeoutMs);
  if (outcome.outcome === "done") {
    await removePackageRecord(stateDir, name);
  }
  return outcome;
}
