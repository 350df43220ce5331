import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync } from "node:fs";

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

/**
 * Goes on inside namespaces of our own: network, mounts and processes. When the process that was started is ended,
 * however it is ended, the kernel ends everything inside and takes the networks away. Returns only inside.
 *
 * @param passedOn environment of the program inside.
 */
export function enterIsolation(passedOn: Readonly<Record<string, string>> = {}): void {
  if (isInside()) {
    prepareInside();
    return;
  }
  const isRoot = process.getuid?.() === 0;
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const user = isRoot ? [] : ["--user", "--map-root-user"];
  if (!isRoot) {
    try {
      execFileSync("unshare", [...user, "true"], { stdio: "ignore" });
    } catch {
      throw new LabError("the lab needs root here: this kernel does not let ordinary users make namespaces");
    }
    try {
      accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
    } catch {
      throw new LabError(
        "the lab needs root here: /dev/net/tun, for the computers' cables, is not yours to open",
      );
    }
  }
  const program = "/usr/bin/unshare";
  if (!existsSync(program) || process.execve === undefined) {
    throw new LabError("unshare is missing; install: apt-get install util-linux");
  }
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(program, [program, ...user, ...namespaces, ...self], {
    ...process.env,
    ...passedOn,
    [marker]: "1",
    [mappedMarker]: isRoot ? "0" : "1",
  });
}

/** Names of network namespaces live in /run/netns; a private one keeps ours apart from the machine's. */
function prepareInside(): void {
  if (process.env[mappedMarker] === "1") {
    // /run belongs to the machine's root, who is nobody in here.
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
  }
  mkdirSync("/run/netns", { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run/netns"]);
}
