import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LabError } from "./isolation.ts";
import { openOuterDoor } from "./console-door.ts";
import type { RoomDoor } from "./scenarios/open-room.ts";
import { labRoot } from "./software.ts";

export const readyLine = "the room is open";

const folder = join(labRoot, "var", "lab");
const statePath = join(folder, "up.json");
const logPath = join(folder, "up.log");
const doorKey = "PORTOLAN_LAB_DOOR";
const usualPort = 8443;

type Up = { readonly pid: number; readonly startTicks: string };

/**
 * Starts the room in the background and returns when its computers are switched on, printing what it says.
 *
 * @throws LabError one is up already, or it did not come up
 */
export async function bringUp(): Promise<void> {
  if (readUp() !== null) {
    throw new LabError("the lab is up already; portolan lab down ends it");
  }
  await mkdir(folder, { recursive: true });
  const door: RoomDoor = {
    // A socket file's name must be short, and the checkout's may be long.
    socketPath: join(mkdtempSync(join(tmpdir(), "portolan-lab-")), "console"),
    consolePort: await freePort(),
  };
  const log = openSync(logPath, "w", 0o600);
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? "", "hold"], {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, [doorKey]: JSON.stringify(door) },
  });
  const { pid } = child;
  if (pid === undefined) {
    throw new LabError("the lab could not be started in the background");
  }
  writeFileSync(statePath, JSON.stringify({ pid, startTicks: startTicksOf(pid) }));
  let shownBytes = 0;
  for (;;) {
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    const text = readFileSync(logPath, "utf8");
    process.stdout.write(text.slice(shownBytes));
    shownBytes = text.length;
    if (text.includes(`${readyLine}\n`)) {
      child.unref();
      return;
    }
    if (hasEnded) {
      rmSync(statePath, { force: true });
      throw new LabError(`the lab did not come up; see ${logPath}`);
    }
    await sleep(200);
  }
}

/** Ends the room: computers, server and networks. `false` when none is up. */
export async function bringDown(): Promise<boolean> {
  const up = readUp();
  if (up === null) {
    return false;
  }
  process.kill(up.pid, "SIGTERM");
  while (readUp() !== null) {
    await sleep(100);
  }
  rmSync(statePath, { force: true });
  return true;
}

/** What the process in the background was told; it opens the outer end of the door. */
export function passedDoor(): RoomDoor {
  return JSON.parse(process.env[doorKey] ?? "null") as RoomDoor;
}

export async function holdDoor(door: RoomDoor): Promise<void> {
  await openOuterDoor(door.consolePort, door.socketPath);
  process.once("exit", () => rmSync(join(door.socketPath, ".."), { recursive: true, force: true }));
}

/** The room that is up, `null` without one. A process that got its number since is not it. */
function readUp(): Up | null {
  if (!existsSync(statePath)) {
    return null;
  }
  const up = JSON.parse(readFileSync(statePath, "utf8")) as Up;
  return startTicksOf(up.pid) === up.startTicks ? up : null;
}

/** When a process was started, as the kernel counts; empty when there is none. @see proc(5), /proc/pid/stat field 22 */
function startTicksOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? "" : (rest[18] ?? "");
  } catch {
    return "";
  }
}

/** The console's usual port, or any that is free. */
function freePort(): Promise<number> {
  const tryPort = (port: number): Promise<number | null> =>
    new Promise((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(null));
      server.listen(port, "127.0.0.1", () => {
        const address = server.address();
        server.close(() => resolve(typeof address === "object" && address !== null ? address.port : null));
      });
    });
  return tryPort(usualPort).then(async (port) => port ?? (await tryPort(0)) ?? usualPort);
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}
