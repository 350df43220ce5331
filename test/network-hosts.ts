import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";

/** A test, or whatever else ends and has to be cleaned up after. */
export type TestEnd = { after(work: () => void | Promise<void>): void };

export type HostLink = {
  readonly host: string;
  readonly interfaceName: string;
  /** Address with prefix, `192.168.0.1/24`. */
  readonly address: string;
};

export type HostProcess = {
  readonly child: ChildProcess;
  /** Resolves when a line with this text has been printed; rejects when the process has ended and said all it had to. */
  readonly waitFor: (text: string, timeoutMs?: number) => Promise<string>;
  readonly output: () => string;
  /** Its exit code, `null` after a signal, once all it said has been read; rejects when it does not end. */
  readonly waitForEnd: (timeoutMs?: number) => Promise<number | null>;
};

/** Why network tests cannot run here, or `null`. */
export function networkTestObstacle(...programs: readonly string[]): string | null {
  if (process.getuid?.() !== 0) {
    return "needs root for network namespaces";
  }
  const folders = (process.env["PATH"] ?? "").split(":").concat("/usr/sbin", "/sbin");
  const missing = programs.filter((name) => !folders.some((folder) => existsSync(`${folder}/${name}`)));
  return missing.length === 0 ? null : `needs ${missing.join(", ")}`;
}

/** Reads what a process says to its end, which may come later than its exit. */
function follow(program: string, child: ChildProcess): HostProcess {
  let output = "";
  let hasClosed = false;
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) {
      listener();
    }
  };
  const append = (part: Buffer): void => {
    output += part.toString("utf8");
    tell();
  };
  // Both are pipes always.
  child.stdout?.on("data", append);
  child.stderr?.on("data", append);
  child.once("close", () => {
    hasClosed = true;
    tell();
  });
  /** Resolves when `isSo`; rejects in time, or when the process has ended and it is not so. */
  const until = (what: string, isSo: () => boolean, timeoutMs: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        listeners.delete(look);
        settle();
      };
      const fail = (why: string): void => end(() => reject(new Error(`${why}:\n${output}`)));
      const timer = setTimeout(() => fail(`${what} did not come in ${timeoutMs} ms`), timeoutMs);
      const look = (): void => {
        if (isSo()) {
          end(resolve);
        } else if (hasClosed) {
          fail(`${program} ended with ${child.exitCode ?? child.signalCode} before ${what}`);
        }
      };
      listeners.add(look);
      look();
    });
  return {
    child,
    output: () => output,
    async waitFor(text, timeoutMs = 60_000) {
      await until(`"${text}"`, () => output.includes(text), timeoutMs);
      return output;
    },
    async waitForEnd(timeoutMs = 180_000) {
      await until("its end", () => hasClosed, timeoutMs);
      return child.exitCode;
    },
  };
}

let nextNumber = 0;

/** Hosts in network namespaces on bridged segments. Everything ends with the test. */
export class NetworkHosts {
  readonly #prefix: string;
  readonly #namespaces = new Set<string>();
  readonly #processes: HostProcess[] = [];
  readonly #switchName: string;

  constructor(t: TestEnd) {
    nextNumber += 1;
    this.#prefix = `ptl${process.pid}x${nextNumber}`;
    this.#switchName = `${this.#prefix}-switch`;
    t.after(() => this.close());
    this.#addNamespace(this.#switchName);
  }

  /** A bridge named for the segment, with these hosts on it. */
  segment(name: string, links: readonly HostLink[]): void {
    this.#ip(
      "-n",
      this.#switchName,
      "link",
      "add",
      name,
      "type",
      "bridge",
      "forward_delay",
      "0",
      "mcast_snooping",
      "0",
    );
    this.#ip("-n", this.#switchName, "link", "set", name, "up");
    for (const [index, link] of links.entries()) {
      const namespace = this.namespace(link.host);
      if (!this.#namespaces.has(namespace)) {
        this.#addNamespace(namespace);
      }
      const port = `${name.slice(0, 8)}p${index}`;
      this.#ip(
        "link",
        "add",
        port,
        "netns",
        this.#switchName,
        "type",
        "veth",
        "peer",
        "name",
        link.interfaceName,
        "netns",
        namespace,
      );
      this.#ip("-n", this.#switchName, "link", "set", port, "master", name, "up");
      this.#ip("-n", namespace, "link", "set", link.interfaceName, "up");
      this.#ip("-n", namespace, "addr", "add", link.address, "brd", "+", "dev", link.interfaceName);
    }
  }

  namespace(host: string): string {
    return `${this.#prefix}-${host}`;
  }

  /** Starts a program on a host; it is ended with the test. */
  start(
    host: string,
    program: string,
    args: readonly string[],
    env: Record<string, string> = {},
    stdin: "ignore" | "pipe" = "ignore",
  ): HostProcess {
    const child = spawn("ip", ["netns", "exec", this.namespace(host), program, ...args], {
      stdio: [stdin, "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    const started = follow(program, child);
    this.#processes.push(started);
    return started;
  }

  /** Runs a program on a host to its end and returns what it printed. Throws when it fails. */
  run(
    host: string,
    program: string,
    args: readonly string[],
    options: { cwd?: string; timeoutMs?: number } = {},
  ): string {
    return execFileSync("ip", ["netns", "exec", this.namespace(host), program, ...args], {
      encoding: "utf8",
      cwd: options.cwd,
      timeout: options.timeoutMs ?? 120_000,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async close(): Promise<void> {
    for (const { child } of this.#processes) {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise((resolve) => {
          child.once("exit", resolve);
        });
        child.kill("SIGKILL");
        await ended;
      }
    }
    for (const namespace of this.#namespaces) {
      this.#ip("netns", "delete", namespace);
    }
    this.#namespaces.clear();
  }

  #addNamespace(namespace: string): void {
    this.#ip("netns", "add", namespace);
    this.#namespaces.add(namespace);
    this.#ip("-n", namespace, "link", "set", "lo", "up");
  }

  #ip(...args: readonly string[]): void {
    execFileSync("ip", [...args], { stdio: ["ignore", "ignore", "pipe"] });
  }
}
