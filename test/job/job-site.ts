import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createFolder } from "../agent/agent-site.ts";
import { ManagedSite } from "../agent/managed-site.ts";
import { type HostProcess, NetworkHosts, type TestEnd } from "../network-hosts.ts";

export type ListedRun = {
  readonly id: string;
  readonly computerId: string;
  readonly state: string;
  readonly reason: string | null;
  readonly transport: string | null;
};
export type ListedJob = {
  readonly id: string;
  readonly state: string;
  readonly runs: readonly ListedRun[];
};

/** A real server and real agents, each in its network namespace; a restart is one of the agent's process. */
export class JobSite extends ManagedSite {
  readonly names: readonly string[];

  constructor(t: TestEnd, names: readonly string[]) {
    const hosts = new NetworkHosts(t);
    hosts.segment("room", [
      { host: "server", interfaceName: "eth0", address: "10.8.0.1/24" },
      ...names.map((host, index) => ({
        host,
        interfaceName: "eth0",
        address: `10.8.0.${index + 2}/24`,
      })),
    ]);
    const folder = createFolder(t);
    super(hosts, folder);
    this.names = names;
    mkdirSync(join(folder, "bin"));
    copyFileSync("test/job/fake-systemctl.sh", join(folder, "bin/systemctl"));
    chmodSync(join(folder, "bin/systemctl"), 0o755);
  }

  /** Agents that start again by themselves, let in. */
  async startComputers(): Promise<HostProcess[]> {
    const agents = this.names.map((host) => this.startComputer(host));
    await Promise.all(agents.map((agent) => agent.waitFor("waiting for approval", 120_000)));
    this.approveAll();
    await Promise.all(agents.map((agent) => agent.waitFor("connected as", 120_000)));
    return agents;
  }

  startComputer(host: string): HostProcess {
    this.writeSettings(host, { server: "10.8.0.1" });
    const args = ["test/job/agent-loop.sh", this.folder, process.execPath, this.settingsPath(host)];
    return this.hosts.start(host, "/bin/sh", args);
  }

  /** Writes a file of the test, with its folders. @returns its path */
  write(name: string, text: string): string {
    const path = join(this.folder, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  read(name: string): string {
    const path = join(this.folder, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** Until the job is over; the server may be away meanwhile. */
  async waitForJob(id: string, timeoutMs: number): Promise<ListedJob> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const job = this.portolan("job", "show", id) as ListedJob;
      if (job.state !== "running" && job.state !== "scheduled") {
        return job;
      }
      if (performance.now() > deadlineMs) {
        throw new Error(`job ${id} is not over after ${timeoutMs} ms: ${JSON.stringify(job)}`);
      }
      await sleep(500);
    }
  }
}
