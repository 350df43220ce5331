import { spawn, spawnSync } from "node:child_process";
import { existsSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { chmod, copyFile, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isSea } from "node:sea";
import { writeDurably } from "#platform/durable-file.ts";
import { agentPlaces } from "./agent-places.ts";
import { AgentConfigError, type AgentOverrides } from "./config.ts";
import {
  describeLaunchd,
  describeUnit,
  describeWindowsTask,
  launchdPath,
  unitName,
  windowsTaskName,
} from "#platform/describe-service.ts";
import { tokenName } from "./identity.ts";
import { readValue, writeSettings } from "./settings.ts";

type Say = (text: string) => void;

const isWindows = process.platform === "win32";
const logPath = "/var/log/portolan-agent.log";
const processIdPath = "/run/portolan-agent.pid";

/** A path of this computer, or of the file system at `root`. Windows could not join a drive to one. */
function below(root: string, path: string): string {
  return root === "/" ? path : join(root, path);
}

/** Put in place by a rename: the program that is there may be running. */
async function copyProgram(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  if (resolve(from) === resolve(to)) {
    return;
  }
  await copyFile(from, `${to}.new`);
  await chmod(`${to}.new`, 0o755);
  if (isWindows && existsSync(to)) {
    // Windows replaces no running program, but lets it be renamed; what an earlier installation has left runs no more.
    await rm(`${to}.old`, { force: true });
    await rename(to, `${to}.old`);
  }
  await rename(`${to}.new`, to);
}

/** The words that start the agent there. A single executable or a bundle is copied; a checkout is used where it is. */
async function placeProgram(root: string, node: string): Promise<string[]> {
  if (isSea()) {
    await copyProgram(process.execPath, below(root, agentPlaces.program));
    return [agentPlaces.program];
  }
  const self = resolve(process.argv[1] ?? "");
  if (!self.endsWith(".mjs")) {
    if (root !== "/") {
      throw new AgentConfigError("only the bundled agent can be installed into another root");
    }
    return [node, "--disable-warning=ExperimentalWarning", resolve(import.meta.dirname, "main.ts")];
  }
  const target = `${agentPlaces.folder}/agent.mjs`;
  await copyProgram(self, below(root, target));
  return [node, "--disable-warning=ExperimentalWarning", target];
}

async function placeUnit(root: string, command: readonly string[], say: Say): Promise<void> {
  const unitFolder = join(root, "etc/systemd/system");
  const wantsFolder = join(unitFolder, "multi-user.target.wants");
  await mkdir(wantsFolder, { recursive: true });
  await writeFile(join(unitFolder, unitName), describeUnit(command.join(" ")));
  const link = join(wantsFolder, unitName);
  await rm(link, { force: true });
  await symlink(`../${unitName}`, link);
  say(`wrote ${join(unitFolder, unitName)}; it starts with the system`);
}

function run(program: string, args: readonly string[]): void {
  const outcome = spawnSync(program, args, { stdio: "inherit" });
  if (outcome.status !== 0) {
    const why = outcome.error?.message ?? `ended with ${outcome.status}`;
    throw new Error(`${program} ${args.join(" ")}: ${why}`);
  }
}

/** An agent that an earlier installation has left running, where no systemd knows of it. */
function stopDetached(program: string): void {
  try {
    const processId = Number(readFileSync(processIdPath, "utf8"));
    // The number may belong to another program by now.
    if (readFileSync(`/proc/${processId}/cmdline`, "utf8").startsWith(program)) {
      process.kill(processId, "SIGKILL");
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) {
      throw error;
    }
  }
}

/** Without systemd nobody starts it at the next boot; it runs from now on all the same. */
function startDetached(command: readonly string[], say: Say): void {
  const [program = "", ...args] = command;
  stopDetached(program);
  const log = openSync(logPath, "a");
  const child = spawn(program, [...args, "run", "--environment", "os"], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  child.unref();
  writeFileSync(processIdPath, String(child.pid));
  say(`there is no systemd here: the agent runs now and writes ${logPath}; let your init start it`);
}

/** schtasks.exe takes what it cannot be told by words from a file, in UTF-16. */
async function createWindowsTask(command: readonly string[]): Promise<void> {
  const path = join(agentPlaces.folder, "task.xml");
  await writeFile(path, `\uFEFF${describeWindowsTask(command)}`, "utf16le");
  run("schtasks.exe", ["/Create", "/F", "/TN", windowsTaskName, "/XML", path]);
  await rm(path);
  run("schtasks.exe", ["/Run", "/TN", windowsTaskName]);
}

/** Windows has no modes of files: the system and administrators alone see the agent's key, by their numbers in every language. */
function closeToUsers(folder: string): void {
  const rights = ["*S-1-5-18:(OI)(CI)F", "*S-1-5-32-544:(OI)(CI)F"];
  run("icacls.exe", [folder, "/inheritance:r", "/grant:r", ...rights, "/Q"]);
}

/** Whether the root here is not the one that this computer runs from, as for the last command of an installer. */
function isInsideInstallation(): boolean {
  try {
    const [here, first] = [statSync("/"), statSync("/proc/1/root/")];
    return here.dev !== first.dev || here.ino !== first.ino;
  } catch {
    // No /proc, or not root's to see: a chroot of an installer has both.
    return false;
  }
}

/** The agent runs from now on, and from every start of the system where the system has a way for that. */
async function startService(root: string, command: readonly string[], say: Say): Promise<void> {
  const isHere = root === "/";
  if (process.platform === "darwin") {
    const path = join(root, launchdPath);
    await writeFile(path, describeLaunchd(command));
    say(`wrote ${path}`);
    if (isHere) {
      run("launchctl", ["load", "-w", path]);
    }
  } else if (isWindows) {
    await createWindowsTask(command);
  } else {
    await placeUnit(root, command, say);
    if (!isHere) {
      return;
    }
    if (isInsideInstallation()) {
      say("this is a system that is being installed: the agent starts with it");
      return;
    }
    if (existsSync("/run/systemd/system")) {
      run("systemctl", ["daemon-reload"]);
      run("systemctl", ["restart", unitName]);
    } else {
      startDetached(command, say);
    }
  }
  if (isHere) {
    say("the agent is running; portolan agent status shows whether it was let in");
  }
}

/** `KEY=VALUE` words as the settings file has them. @throws AgentConfigError */
function readSettings(words: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    words.map((word) => {
      const equals = word.indexOf("=");
      if (equals < 1) {
        throw new AgentConfigError(`--set ${word}: write it as KEY=VALUE`);
      }
      return [word.slice(0, equals), readValue(word.slice(equals + 1))];
    }),
  );
}

/**
 * Puts program, settings and service on this computer, or into the file system at `root`. Can be run again: what is there
 * is replaced, the computer's key and certificate are kept.
 *
 * @throws AgentConfigError when the settings would not let the agent start
 */
export async function installAgent(given: {
  readonly root: string;
  /** Node's path on the computer the agent is for; `null`: the one that runs this. */
  readonly node: string | null;
  readonly overrides: AgentOverrides;
  /** Further settings, `KEY=VALUE`. */
  readonly set: readonly string[];
  /** Lets the computer in without an approval; `null` without one. */
  readonly token: string | null;
  readonly say: Say;
}): Promise<void> {
  const { root, overrides, say, token } = given;
  const { controlPort, ...texts } = overrides;
  const settingsPath = below(root, agentPlaces.settings);
  await writeSettings(settingsPath, {
    ...texts,
    ...(controlPort === undefined ? {} : { controlPort: Number(controlPort) }),
    ...readSettings(given.set),
  });
  say(`wrote ${settingsPath}`);
  const stateDir = below(root, agentPlaces.state);
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  if (isWindows) {
    closeToUsers(stateDir);
  }
  if (token !== null) {
    await writeDurably(join(stateDir, tokenName), Buffer.from(`${token}\n`), 0o600);
  }
  const command = await placeProgram(root, given.node ?? process.execPath);
  await startService(root, command, say);
}
