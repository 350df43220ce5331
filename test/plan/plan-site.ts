import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type HostProcess, NetworkHosts } from "../network-hosts.ts";

export type CliAnswer = { readonly status: number; readonly stdout: string; readonly stderr: string };

/** One real server in a namespace, and the command line beside it. */
export class PlanServer {
  readonly #hosts: NetworkHosts;
  readonly #host: string;
  readonly #interfaces: string;
  readonly dataDir: string;
  readonly #configPath: string;
  #process: HostProcess | null = null;

  constructor(
    t: TestContext,
    given: {
      readonly hosts: NetworkHosts;
      readonly host: string;
      readonly interfaces: string;
      /** Lines of the server's file. */
      readonly config?: string;
    },
  ) {
    this.#hosts = given.hosts;
    this.#host = given.host;
    this.#interfaces = given.interfaces;
    this.dataDir = mkdtempSync(join(tmpdir(), "portolan-plan-"));
    t.after(() => rmSync(this.dataDir, { recursive: true, force: true }));
    this.#configPath = join(this.dataDir, "portolan.toml");
    writeFileSync(this.#configPath, given.config ?? `[server]\nname = "${given.host}"\n`);
  }

  get process(): HostProcess {
    if (this.#process === null) {
      throw new Error("the server has not been started");
    }
    return this.#process;
  }

  async start(nodeOptions: readonly string[] = [], env: Record<string, string> = {}): Promise<void> {
    const flags = ["--config", this.#configPath, "--data", this.dataDir, "--interface", this.#interfaces];
    this.#process = this.#hosts.start(
      this.#host,
      process.execPath,
      ["--disable-warning=ExperimentalWarning", ...nodeOptions, "src/server/main.ts", ...flags],
      env,
    );
    await this.#process.waitFor("\nready", 60_000);
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const { child } = this.process;
    const ended = new Promise((resolve) => {
      child.once("exit", resolve);
    });
    child.kill(signal);
    await ended;
  }

  /** `portolan …` on the server's own machine. */
  cli(...args: readonly string[]): CliAnswer {
    const { status, stdout, stderr } = spawnSync(
      "ip",
      ["netns", "exec", this.#hosts.namespace(this.#host), "bin/portolan", ...args, "--data", this.dataDir],
      { encoding: "utf8", timeout: 120_000 },
    );
    return { status: status ?? -1, stdout, stderr };
  }

  /** The one JSON value a command printed. Throws with what it said when it failed. */
  json(...args: readonly string[]): unknown {
    const answer = this.cli(...args, "--json");
    if (answer.status !== 0) {
      throw new Error(
        `portolan ${args.join(" ")} ended with ${answer.status}: ${answer.stderr}${answer.stdout}`,
      );
    }
    return JSON.parse(answer.stdout);
  }
}

/** A server with one interface, eth0 10.9.0.1, and one neighbour, 10.9.0.2. */
export function createServerRoom(
  t: TestContext,
  config?: string,
): { hosts: NetworkHosts; server: PlanServer } {
  const hosts = new NetworkHosts(t);
  hosts.segment("room", [
    { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
    { host: "one", interfaceName: "eth0", address: "10.9.0.2/24" },
  ]);
  const server = new PlanServer(t, {
    hosts,
    host: "server",
    interfaces: "eth0",
    ...(config === undefined ? {} : { config }),
  });
  return { hosts, server };
}
