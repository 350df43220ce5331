import { execFileSync, spawn } from "node:child_process";
import { accessSync, constants as fsConstants, mkdirSync } from "node:fs";
import { Socket } from "node:net";
import { constants } from "node:os";

const marker = "PORTOLAN_LAB_INSIDE";
const mappedMarker = "PORTOLAN_LAB_MAPPED";

/** The lab cannot run here. The message names what is missing. */
export class LabError extends Error {
  readonly code = "lab";

  constructor(message: string) {
    super(message);
    this.name = "LabError";
  }
}

export function isInside(): boolean {
  return process.env[marker] === "1";
}

/** The descriptor inside on which nothing ever arrives but the end of the process outside. */
const lifeline = 3;

/**
 * Goes on inside namespaces of our own: network, mounts and processes. Resolves only inside. The process outside waits,
 * and when it is ended, however it is ended, everything inside ends with it and the networks are gone.
 *
 * @param passedOn environment of the program inside.
 */
export async function enterIsolation(passedOn: Readonly<Record<string, string>> = {}): Promise<void> {
  if (isInside()) {
    prepareInside();
    return;
  }
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) {
    checkOrdinaryUser();
  }
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const user = isRoot ? [] : ["--user", "--map-root-user"];
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn("unshare", [...user, ...namespaces, ...self], {
    stdio: ["inherit", "inherit", "inherit", "pipe"],
    env: { ...process.env, ...passedOn, [marker]: "1", [mappedMarker]: isRoot ? "0" : "1" },
  });
  let endedBy = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      endedBy = constants.signals[signal];
      // unshare itself ignores the gentle signals; killed, it takes the first process inside with it.
      child.kill("SIGKILL");
    });
  }
  await new Promise<void>((_resolve, reject) => {
    child.once("error", () => {
      reject(new LabError("unshare could not be started; install: apt-get install util-linux"));
    });
    child.once("exit", (code) => {
      process.exit(endedBy === 0 ? (code ?? 1) : 128 + endedBy);
    });
  });
}

/** @throws LabError what an ordinary user lacks on this machine */
function checkOrdinaryUser(): void {
  try {
    execFileSync("unshare", ["--user", "--map-root-user", "true"], { stdio: "ignore" });
  } catch {
    throw new LabError("the lab needs root here: this kernel does not let ordinary users make namespaces");
  }
  try {
    accessSync("/dev/net/tun", fsConstants.R_OK | fsConstants.W_OK);
  } catch {
    throw new LabError(
      "the lab needs root here: /dev/net/tun, for the computers' cables, is not yours to open",
    );
  }
}

/** Names of network namespaces live in /run/netns; a private one keeps ours apart from the machine's. */
function prepareInside(): void {
  // We are the first process of our PID namespace: when we end, the kernel ends all others.
  new Socket({ fd: lifeline }).once("close", () => process.exit(1)).resume();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
  if (process.env[mappedMarker] === "1") {
    // /run belongs to the machine's root, who is nobody in here.
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
  }
  mkdirSync("/run/netns", { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run/netns"]);
}
