import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { TaskMessage } from "#wire/control/task-message.ts";
import { type HostProcess, NetworkHosts, type TestEnd } from "../network-hosts.ts";

export type AgentSite = {
  readonly hosts: NetworkHosts;
  /** Shared by all hosts: they differ in network only. */
  readonly folder: string;
};

/** A server and two computers on one segment: server 10.9.0.1, one 10.9.0.2, two 10.9.0.3. */
export function createRoom(t: TestContext): AgentSite {
  const hosts = new NetworkHosts(t);
  hosts.segment("room", [
    { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
    { host: "one", interfaceName: "eth0", address: "10.9.0.2/24" },
    { host: "two", interfaceName: "eth0", address: "10.9.0.3/24" },
  ]);
  return { hosts, folder: createFolder(t) };
}

export function createFolder(t: TestEnd): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-agent-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

export async function startServer(
  site: AgentSite,
  interfaces: readonly string[] = ["eth0"],
  host = "server",
): Promise<HostProcess> {
  const script = "test/agent/serve-agents.ts";
  const server = site.hosts.start(host, process.execPath, [script, site.folder, ...interfaces]);
  await server.waitFor('{"event":"ready"}');
  return server;
}

/** Starts an agent as an installed system does, with its own settings and state. */
export function startAgent(
  site: AgentSite,
  host: string,
  settings: Readonly<Record<string, unknown>>,
): HostProcess {
  const fingerprintPath = join(site.folder, "fingerprint");
  const siteKey = existsSync(fingerprintPath) ? readFileSync(fingerprintPath, "utf8") : "0".repeat(64);
  const path = join(site.folder, `${host}.toml`);
  const all = { siteKey, stateDir: join(site.folder, `${host}-state`), ...settings };
  const lines = Object.entries(all).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  writeFileSync(path, lines.join(""));
  return site.hosts.start(host, process.execPath, ["src/agent/main.ts", "run", "--config", path]);
}

export function approve(site: AgentSite, server: HostProcess): void {
  writeFileSync(join(site.folder, "approved"), "");
  server.child.kill("SIGUSR1");
}

/** Gives a task to every agent that is connected. */
export async function giveTask(site: AgentSite, server: HostProcess, task: TaskMessage): Promise<void> {
  const sentBefore = countOf(server, '"task-sent"');
  writeFileSync(join(site.folder, "task.json"), JSON.stringify(task));
  server.child.kill("SIGUSR2");
  await until(() => countOf(server, '"task-sent"') > sentBefore);
}

/** Looks until something is so; the test's own limit ends it when it never is. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

export type Counters = {
  readonly control: Readonly<Record<string, number>>;
  readonly discovery: Readonly<Record<string, number>>;
};

/** What the server has counted up to now. */
export async function readCounters(server: HostProcess): Promise<Counters> {
  const before = server.output().length;
  server.child.kill("SIGQUIT");
  const find = (): string | undefined =>
    server
      .output()
      .slice(before)
      .split("\n")
      .find((line) => line.includes('"counters"') && line.endsWith("}"));
  await until(() => find() !== undefined);
  return JSON.parse(find() ?? "") as Counters;
}

/** How often a text was printed. */
export function countOf(process: HostProcess, text: string): number {
  return process.output().split(text).length - 1;
}
