import { openSync, readFileSync, readlinkSync } from "node:fs";
import { ReadStream, WriteStream } from "node:tty";

/** A screen with a keyboard. */
export type ConsoleTerminal = {
  readonly name: string;
  write(text: string): void;
  /** Keys as they are pressed, without echo, until `close`. */
  onKeys(listener: (text: string) => void): void;
  close(): void;
};

function readOwnTerminal(): string | null {
  try {
    const path = readlinkSync("/proc/self/fd/0");
    return process.stdin.isTTY ? path : null;
  } catch {
    return null;
  }
}

/**
 * Where a person may sit at this computer: every active console of the kernel when this program runs on the console, as in
 * preboot; else the terminal it was started on. Those that cannot be opened are left out.
 */
export function openConsoleTerminals(): ConsoleTerminal[] {
  const own = readOwnTerminal();
  if (own === null) {
    return [];
  }
  const isKernelConsole = own === "/dev/console";
  const active = isKernelConsole ? readFileSync("/sys/class/tty/console/active", "utf8") : "";
  const paths = isKernelConsole ? active.trim().split(/\s+/).map(toDevice) : [own];
  return paths.flatMap((path) => {
    try {
      return [openTerminal(path)];
    } catch {
      return [];
    }
  });
}

/** `tty0` is whichever screen is in front. */
function toDevice(name: string): string {
  return `/dev/${name}`;
}

function openTerminal(path: string): ConsoleTerminal {
  const input = new ReadStream(openSync(path, "r"));
  const output = new WriteStream(openSync(path, "w"));
  // A screen that is taken away ends the menu there, not the agent.
  input.on("error", () => undefined);
  output.on("error", () => undefined);
  return {
    name: path,
    write: (text) => void output.write(text),
    onKeys: (listener) => {
      input.setRawMode(true);
      input.on("data", (bytes: Buffer) => listener(bytes.toString("latin1")));
    },
    close: () => {
      input.setRawMode(false);
      input.destroy();
      output.destroy();
    },
  };
}
