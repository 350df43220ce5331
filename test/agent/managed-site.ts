import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { type HostProcess, type NetworkHosts } from "../network-hosts.ts";

/** A whole server on a host, its command line, and agents on others. */
export class ManagedSite {
  readonly hosts: NetworkHosts;
  readonly folder: string;
  readonly #serverHost: string;
  #siteKey = "";

  constructor(hosts: NetworkHosts, folder: string, serverHost = "server") {
    this.hosts = hosts;
    this.folder = folder;
    this.#serverHost = serverHost;
  }

  async startServer(interfaces = "eth0"): Promise<HostProcess> {
    const server = this.spawnServer(interfaces);
    const output = await server.waitFor("\nready", 60_000);
    this.#siteKey = /^site key ([0-9a-f]{64})$/m.exec(output)?.[1] ?? "";
    return server;
  }

  /** A server that may not live until it is ready. */
  spawnServer(interfaces = "eth0", env: Record<string, string> = {}): HostProcess {
    const args = [
      "src/server/main.ts",
      "serve",
      "--data",
      join(this.folder, "data"),
      "--interface",
      interfaces,
    ];
    return this.hosts.start(this.#serverHost, process.execPath, args.toSpliced(1, 1), env);
  }

  /** The command line on the server's machine; the value that `--json` prints. */
  portolan(...args: readonly string[]): unknown {
    const all = ["src/cli/main.ts", ...args, "--json", "--data", join(this.folder, "data")];
    return JSON.parse(this.hosts.run(this.#serverHost, process.execPath, all, { timeoutMs: 120_000 }));
  }

  /** As `portolan`, in the background, for commands that wait. */
  startPortolan(...args: readonly string[]): HostProcess {
    const all = ["src/cli/main.ts", ...args, "--data", join(this.folder, "data")];
    return this.hosts.start(this.#serverHost, process.execPath, all);
  }

  /** As `startPortolan`, with an open standard input. */
  startTyping(...args: readonly string[]): HostProcess {
    const all = ["src/cli/main.ts", ...args, "--data", join(this.folder, "data")];
    return this.hosts.start(this.#serverHost, process.execPath, all, {}, "pipe");
  }

  settingsPath(host: string): string {
    return join(this.folder, `${host}.toml`);
  }

  readSettings(host: string): string {
    return readFileSync(this.settingsPath(host), "utf8");
  }

  /** Starts an agent as an installed system does. Its network namespace is all that tells hosts apart. */
  startAgent(host: string, settings: Readonly<Record<string, unknown>>): HostProcess {
    this.writeSettings(host, settings);
    return this.restartAgent(host);
  }

  writeSettings(host: string, settings: Readonly<Record<string, unknown>>): void {
    const all = { siteKey: this.#siteKey, stateDir: join(this.folder, `${host}-state`), ...settings };
    const lines = Object.entries(all).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
    writeFileSync(this.settingsPath(host), lines.join(""));
  }

  restartAgent(host: string): HostProcess {
    const args = ["src/agent/main.ts", "run", "--config", this.settingsPath(host)];
    return this.hosts.start(host, process.execPath, args);
  }

  /** Ends an agent and starts it with other settings. */
  startAgentAgain(
    host: string,
    before: HostProcess,
    settings: Readonly<Record<string, unknown>>,
  ): HostProcess {
    before.child.kill("SIGKILL");
    return this.startAgent(host, settings);
  }

  /** Lets in everyone who waits, and returns their ids. */
  approveAll(): string[] {
    const computers = this.portolan("computer", "list") as { id: string; state: string }[];
    const waiting = computers.filter(({ state }) => state === "pending").map(({ id }) => id);
    if (waiting.length > 0) {
      this.portolan("computer", "approve", ...waiting);
    }
    return waiting;
  }

  /** The id of the computer that has this address now. */
  idOf(address: string): string {
    const computers = this.portolan("computer", "list") as { id: string; address: string | null }[];
    const found = computers.find((computer) => computer.address === address);
    if (found === undefined) {
      throw new Error(`no computer has ${address}: ${JSON.stringify(computers)}`);
    }
    return found.id;
  }
}

/** A password nobody has used before. */
export function newPassword(): string {
  return randomBytes(9).toString("base64url");
}
