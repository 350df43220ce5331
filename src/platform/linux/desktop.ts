import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Duplex } from "node:stream";

/** An X11 display, and the file with the key that opens it. */
export type X11Display = { readonly display: string; readonly authorityPath: string };

/** A running view of a display, which speaks RFB (RFC 6143). */
export type Desktop = {
  /** False: wait for `drained` before more is written. */
  write(bytes: Uint8Array): boolean;
  drained(): Promise<void>;
  /** Stops and starts reading what it draws; it sends nothing meanwhile. */
  pause(): void;
  resume(): void;
  end(): void;
};

const x11vncPath = "/usr/bin/x11vnc";
const problemBytesMax = 2048;

/**
 * x11vnc reads and writes one socket as its standard input, as inetd(8) gives it; the pipes of Node go one way each. The
 * text is constant, the words after it are arguments.
 */
const joinedInput = 'exec "$@" <&3 >&3 3>&-';

/** Why no desktop can be shown by this system, or `null`. */
export function desktopObstacle(): string | null {
  return existsSync(x11vncPath) ? null : "x11vnc is not installed on this computer; it shows its desktop";
}

/** Shows a display to one viewer, through pipes: no port is opened. What x11vnc could be told to do besides is switched off. */
export function openDesktop(
  given: X11Display & { readonly isViewOnly: boolean },
  on: {
    readonly output: (bytes: Uint8Array) => void;
    /** Why it has ended, where it was not asked to. */
    readonly end: (problem: string | null) => void;
  },
): Desktop {
  const { display, authorityPath, isViewOnly } = given;
  const words = ["-norc", "-inetd", "-display", display, "-auth", authorityPath];
  const manners = ["-q", "-nopw", "-shared", "-safer", "-nobell", "-noxrecord"];
  const child = spawn(
    "/bin/sh",
    ["-c", joinedInput, "sh", x11vncPath, ...words, ...manners, ...(isViewOnly ? ["-viewonly"] : [])],
    { stdio: ["ignore", "ignore", "pipe", "pipe"], env: { PATH: "/usr/bin:/bin", LANG: "C.UTF-8" } },
  );
  let problem = "";
  child.stderr?.on("data", (part: Buffer) => {
    problem = (problem + part.toString("utf8")).slice(-problemBytesMax);
  });
  // A pipe in the fourth place goes both ways.
  const stream = child.stdio[3] as Duplex;
  stream.on("data", on.output);
  // It has ended, which is told below.
  stream.on("error", () => stream.destroy());
  let hasEnded = false;
  const end = (reason: string | null): void => {
    if (!hasEnded) {
      hasEnded = true;
      stream.destroy();
      on.end(reason);
    }
  };
  child.once("error", (error) => end(error.message));
  child.once("exit", (exitCode) =>
    end(exitCode === 0 ? null : `x11vnc: ${problem.trim().split("\n").at(-1) || `ended with ${exitCode}`}`),
  );
  return {
    write: (bytes) => stream.destroyed || stream.write(bytes),
    drained: () =>
      new Promise((resolve) => {
        stream.once("drain", resolve);
        stream.once("close", resolve);
      }),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    end: () => {
      stream.destroy();
      child.kill("SIGTERM");
    },
  };
}
