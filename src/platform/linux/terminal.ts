import { spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { ReadStream } from "node:tty";
import { setTerminalSize, unlockTerminal } from "./native/pty-calls.ts";

/** For the last output of a program that has ended. */
const outputGraceMs = 300;

export type TerminalSize = { readonly columns: number; readonly rows: number };

/** A program that runs in a terminal of its own. */
export type Terminal = {
  write(bytes: Uint8Array): void;
  resize(size: TerminalSize): void;
  /** Stops and starts reading what it prints; the program waits meanwhile. */
  pause(): void;
  resume(): void;
  /** Ends it as a closed window does: SIGHUP to the program and what it has in the foreground. */
  hangUp(): void;
};

/**
 * Starts a program in a new pseudo-terminal, as the leader of a session that the terminal controls. `setsid` is util-linux'
 * or busybox'.
 *
 * @throws SystemCallError, or the error of Node when there are no pseudo-terminals
 */
export function openTerminal(
  given: {
    readonly program: string;
    readonly args: readonly string[];
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly size: TerminalSize;
  },
  on: {
    readonly output: (bytes: Uint8Array) => void;
    /** After its last output. `null` when a signal ended it. */
    readonly end: (exitCode: number | null) => void;
  },
): Terminal {
  const master = openSync("/dev/ptmx", constants.O_RDWR | constants.O_NOCTTY);
  const slave = openSync(unlockTerminal(master), constants.O_RDWR | constants.O_NOCTTY);
  setTerminalSize(master, given.size.columns, given.size.rows);
  const child = spawn("setsid", ["-c", given.program, ...given.args], {
    cwd: given.cwd,
    env: given.env,
    stdio: [slave, slave, slave],
  });
  closeSync(slave);
  const stream = new ReadStream(master);
  let isOpen = true;
  let exitCode: number | null | undefined;
  const finish = (): void => {
    if (exitCode !== undefined && !isOpen) {
      on.end(exitCode);
    }
  };
  stream.on("data", (bytes: Buffer) => on.output(bytes));
  // EIO is how Linux says that nobody holds the other end any more.
  stream.on("error", () => stream.destroy());
  stream.once("close", () => {
    isOpen = false;
    finish();
  });
  child.once("error", () => {
    exitCode = 127;
    stream.destroy();
  });
  child.once("exit", (code) => {
    exitCode = code;
    finish();
    // What it left in the background may hold the terminal open for ever.
    setTimeout(() => stream.destroy(), outputGraceMs);
  });
  return {
    write: (bytes) => {
      if (isOpen) {
        stream.write(bytes);
      }
    },
    resize: ({ columns, rows }) => {
      if (isOpen) {
        setTerminalSize(master, columns, rows);
      }
    },
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    hangUp: () => {
      stream.destroy();
      child.kill("SIGHUP");
    },
  };
}
