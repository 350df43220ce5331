import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HostProcess, NetworkHosts, type TestEnd } from "../network-hosts.ts";

export type SiteFinding = {
  readonly kind: string;
  readonly subject: unknown;
  readonly evidence: string;
  readonly remedy: string | null;
};

type Answer = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

export type VerifyCell = {
  readonly segment: string;
  readonly flow: string;
  readonly verdict: "pass" | "blocked" | "late" | "degraded" | "not-tested";
  readonly latencyMs: number | null;
  readonly evidence: string;
  readonly cause: string | null;
  readonly causeCode: string | null;
  readonly remedy: string | null;
};

/**
 * A virtual cable has no device behind it, so an agent would see a computer without a card: here eth0 is shown as one,
 * with the MAC address it has, in this program's own view of the file system.
 */
const withCard = `
set -e
mkdir -p "$1/eth0/device"
cat /sys/class/net/eth0/address >"$1/eth0/address"
mount --bind "$1" /sys/class/net
shift
exec "$@"
`;

/** A whole server, agents and a site's DHCP server, each a real program on a host of its own. */
export class VerifySite {
  readonly hosts: NetworkHosts;
  readonly folder: string;
  readonly dataDir: string;

  constructor(t: TestEnd) {
    this.folder = mkdtempSync(join(tmpdir(), "portolan-plan-"));
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
    this.dataDir = join(this.folder, "server");
    this.hosts = new NetworkHosts(t);
  }

  async startServer(
    interfaces: readonly string[],
    given: { readonly relays?: readonly string[] } = {},
  ): Promise<HostProcess> {
    const configPath = join(this.folder, "portolan.toml");
    writeFileSync(configPath, `[server]\nname = "ds1"\nrelays = ${JSON.stringify(given.relays ?? [])}\n`);
    const server = this.hosts.start("server", process.execPath, [
      "src/server/main.ts",
      ...["--config", configPath, "--data", this.dataDir, "--interface", interfaces.join(",")],
    ]);
    await server.waitFor("ready", 60_000);
    return server;
  }

  /** The command line on the server's own machine. A command that fails is an answer too. */
  async portolan(...args: readonly string[]): Promise<Answer> {
    return this.startPortolan(...args).answer;
  }

  /** The same, for who has something to do meanwhile. */
  startPortolan(...args: readonly string[]): {
    readonly process: HostProcess;
    readonly answer: Promise<Answer>;
  } {
    const started = this.hosts.start("server", process.execPath, ["src/cli/main.ts", ...args], {
      PORTOLAN_DATA: this.dataDir,
    });
    const { child } = started;
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (part: Buffer) => (stdout += part.toString("utf8")));
    child.stderr?.on("data", (part: Buffer) => (stderr += part.toString("utf8")));
    const answer = new Promise<Answer>((resolve) => {
      child.once("close", (code) => resolve({ exitCode: code ?? -1, stdout, stderr }));
    });
    return { process: started, answer };
  }

  async json<Value>(...args: readonly string[]): Promise<Value> {
    const { stdout, stderr } = await this.portolan(...args, "--json");
    try {
      return JSON.parse(stdout) as Value;
    } catch {
      throw new Error(`portolan ${args.join(" ")} printed no JSON:\n${stdout}\n${stderr}`);
    }
  }

  /** Starts an agent on a host and lets it in. */
  async startAgent(host: string, serverAddress: string): Promise<HostProcess> {
    const { siteKeyFingerprint } = await this.json<{ siteKeyFingerprint: string }>("status");
    const path = join(this.folder, `${host}.toml`);
    const lines = [
      `server = "${serverAddress}"`,
      `siteKey = "${siteKeyFingerprint}"`,
      `stateDir = "${join(this.folder, `${host}-state`)}"`,
    ];
    writeFileSync(path, `${lines.join("\n")}\n`);
    const agent = this.hosts.start(host, "sh", [
      ...["-c", withCard, "sh", join(this.folder, `${host}-cards`)],
      ...[process.execPath, "src/agent/main.ts", "run", "--config", path],
    ]);
    await agent.waitFor("waiting for approval", 60_000);
    const computers = await this.json<{ id: string; state: string }[]>("computer", "list");
    for (const { id } of computers.filter(({ state }) => state === "pending")) {
      await this.portolan("computer", "approve", id);
    }
    await agent.waitFor("connected as", 60_000);
    return agent;
  }

  /** dnsmasq, leasing and nothing else. */
  async startDhcp(host: string, ...ranges: readonly string[]): Promise<HostProcess> {
    const started = this.hosts.start(host, "dnsmasq", [
      ...["--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-dynamic"],
      ...["--no-ping", "--user=root", "--log-dhcp", "--log-facility=-"],
      `--dhcp-leasefile=${join(this.folder, `${host}.leases`)}`,
      `--pid-file=${join(this.folder, `${host}.pid`)}`,
      ...ranges.map((range) => `--dhcp-range=${range},1h`),
    ]);
    await started.waitFor("DHCP, IP range");
    return started;
  }

  findings(): Promise<SiteFinding[]> {
    return this.json<SiteFinding[]>("plan", "findings");
  }

  async findingKinds(): Promise<string[]> {
    return (await this.findings()).map(({ kind }) => kind);
  }

  async verify(...args: readonly string[]): Promise<{ cells: VerifyCell[]; exitCode: number }> {
    const { stdout, stderr, exitCode } = await this.portolan("plan", "verify", ...args, "--json");
    if (!stdout.startsWith("[")) {
      throw new Error(`plan verify printed no list:\n${stdout}\n${stderr}`);
    }
    return { cells: JSON.parse(stdout) as VerifyCell[], exitCode };
  }
}

export function verdicts(cells: readonly VerifyCell[]): Record<string, string> {
  return Object.fromEntries(cells.map(({ flow, verdict }) => [flow, verdict]));
}

export function faults(cells: readonly VerifyCell[]): VerifyCell[] {
  return cells.filter(({ verdict }) => verdict !== "pass" && verdict !== "not-tested");
}

const link = (host: string, address: string) => ({ host, interfaceName: "eth0", address });

/** server .1, dhcp .254 and pc .2 on one segment, 10.9.0.0/24; DHCP and the server run. */
export async function startFlatSite(end: TestEnd): Promise<VerifySite> {
  const site = new VerifySite(end);
  site.hosts.segment("room", [
    link("server", "10.9.0.1/24"),
    link("dhcp", "10.9.0.254/24"),
    link("pc", "10.9.0.2/24"),
  ]);
  await site.startDhcp("dhcp", "10.9.0.100,10.9.0.200");
  await site.startServer(["eth0"]);
  return site;
}
