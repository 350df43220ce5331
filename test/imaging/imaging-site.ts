import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type TestEnd, type HostProcess, NetworkHosts } from "../network-hosts.ts";

const serverAddress = "10.7.0.1";

/** The same as `run`, for a program that reads. */
export function runWithInput(input: string, program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: "utf8", input, stdio: "pipe" });
}

/** A program that must end well; its output. */
export function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/**
 * A real server (10.7.0.1) and computers in network namespaces, whose disks are loop devices over files. All share this
 * machine's kernel and memory.
 */
export class ImagingSite {
  readonly folder: string;
  readonly hosts: NetworkHosts;
  readonly #t: TestEnd;
  server: HostProcess | null = null;

  constructor(t: TestEnd, computers: readonly string[]) {
    this.#t = t;
    this.folder = mkdtempSync(join(tmpdir(), "portolan-imaging-"));
    t.after(() => rmSync(this.folder, { recursive: true }));
    this.hosts = new NetworkHosts(t);
    this.hosts.segment("room", [
      { host: "server", interfaceName: "eth0", address: `${serverAddress}/24` },
      ...computers.map((host, index) => ({
        host,
        interfaceName: "eth0",
        address: `10.7.0.${index + 2}/24`,
      })),
    ]);
  }

  get dataDir(): string {
    return join(this.folder, "server");
  }

  async startServer(env: Record<string, string> = {}): Promise<HostProcess> {
    const args = ["serve", "--data", this.dataDir, "--interface", "eth0"];
    rmSync(join(this.dataDir, "admin.json"), { force: true });
    this.server = this.hosts.start("server", "bin/portolan", args, env);
    await this.server.waitFor("\nready", 60_000);
    return this.server;
  }

  /** As a crash does. */
  async killServer(): Promise<void> {
    const server = this.server;
    if (server !== null && server.child.exitCode === null) {
      const gone = new Promise((resolve) => {
        server.child.once("exit", resolve);
      });
      server.child.kill("SIGKILL");
      await gone;
    }
  }

  /** The command line on the server. Throws when it fails. */
  portolan(...args: readonly string[]): unknown {
    const text = this.hosts.run("server", "bin/portolan", [...args, "--json", "--data", this.dataDir]);
    return JSON.parse(text) as unknown;
  }

  /** The same, going on meanwhile. */
  startPortolan(...args: readonly string[]): HostProcess {
    return this.hosts.start("server", "bin/portolan", [...args, "--data", this.dataDir]);
  }

  /** A block device over a file; removed with the test. */
  attach(path: string): string {
    const device = run("losetup", "--find", "--show", path).trim();
    this.#t.after(() => {
      run("losetup", "--detach", device);
    });
    return device;
  }

  /** A computer in preboot with one disk, approved. @returns its id */
  async startComputer(
    host: string,
    device: string,
  ): Promise<{ readonly id: string; readonly agent: HostProcess }> {
    const number = Number(/(\d+)$/.exec(host)?.[1] ?? "1");
    const mac = `52:54:00:00:01:${number.toString(16).padStart(2, "0")}`;
    const siteKey = (this.portolan("status") as { siteKeyFingerprint: string }).siteKeyFingerprint;
    const args = [
      ...["--disable-warning=ExperimentalWarning", "test/imaging/run-agent.ts", "--server", serverAddress],
      ...["--site-key", siteKey, "--disk", device.replace("/dev/", ""), "--mac", mac],
    ];
    // As preboot sets it.
    const env = { UV_THREADPOOL_SIZE: String(availableParallelism() + 4) };
    const agent = this.hosts.start(host, process.execPath, args, env);
    await agent.waitFor("waiting for approval", 60_000);
    type Listed = { id: string; macs: string[] };
    const listed = this.portolan("computer", "list") as Listed[];
    const found = listed.find(({ macs }) => macs.includes(mac));
    const id = found?.id ?? "";
    this.portolan("computer", "approve", id);
    await agent.waitFor("connected as", 60_000);
    return { id, agent };
  }

  /** What the server has written to its log. */
  log(): string {
    return this.server?.output() ?? "";
  }
}
