import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { makeDataDir, startBootServer } from "#test/boot/boot-site.ts";
import { NetworkHosts, networkTestObstacle } from "#test/network-hosts.ts";
import type { BurstResult } from "./dhcp-burst.ts";

/*
 * ProxyDHCP answers beside dnsmasq's: 500 computers send their DISCOVER at the same moment over a veth pair and a
 * bridge. Times are from sending to answer, as the burst's own process sees them, and include its queueing.
 * perfdhcp paces its packets and plays a relay, which dnsmasq's proxy mode does not answer: so this has its own
 * client.
 *
 * usage: node bench/proxy-dhcp.ts [--json]
 */

const discoverCount = 500;
const roundCount = 5;

type Row = {
  readonly program: string;
  readonly sentCount: number;
  readonly answeredCount: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

function percentile(sorted: readonly number[], share: number): number {
  const index = Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1);
  return sorted[Math.max(0, index)] ?? Number.NaN;
}

function burst(hosts: NetworkHosts): BurstResult {
  const printed = hosts.run("pc", process.execPath, ["bench/dhcp-burst.ts", "eth0", String(discoverCount)]);
  return JSON.parse(printed) as BurstResult;
}

function measure(program: string, hosts: NetworkHosts): Row {
  burst(hosts);
  const rounds = Array.from({ length: roundCount }, () => burst(hosts));
  const sorted = rounds.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b);
  const rounded = (value: number): number => Math.round(value * 100) / 100;
  return {
    program,
    sentCount: rounds.length * discoverCount,
    answeredCount: sorted.length,
    p50Ms: rounded(percentile(sorted, 0.5)),
    p99Ms: rounded(percentile(sorted, 0.99)),
    maxMs: rounded(sorted.at(-1) ?? Number.NaN),
  };
}

function startRoom(scope: TestContext): NetworkHosts {
  const hosts = new NetworkHosts(scope);
  hosts.segment("room", [
    { host: "server", interfaceName: "eth0", address: "10.9.0.1/22" },
    { host: "pc", interfaceName: "eth0", address: "10.9.0.2/22" },
  ]);
  return hosts;
}

async function measureOurs(scope: TestContext): Promise<Row> {
  const hosts = startRoom(scope);
  await startBootServer(hosts, { interfaces: ["eth0"], dataDir: makeDataDir(scope), isQuiet: true });
  return measure("portolan", hosts);
}

async function measureDnsmasq(scope: TestContext): Promise<Row> {
  const hosts = startRoom(scope);
  const folder = mkdtempSync(join(tmpdir(), "portolan-bench-"));
  scope.after(() => rmSync(folder, { recursive: true }));
  const server = hosts.start("server", "dnsmasq", [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--port=0",
    "--interface=eth0",
    "--bind-dynamic",
    "--user=root",
    "--quiet-dhcp",
    "--log-facility=-",
    `--pid-file=${join(folder, "pid")}`,
    `--dhcp-leasefile=${join(folder, "leases")}`,
    "--dhcp-range=10.9.0.0,proxy,255.255.252.0",
    "--pxe-service=x86PC,boot,undionly",
  ]);
  await server.waitFor("DHCP, proxy");
  return measure("dnsmasq", hosts);
}

function printTable(rows: readonly Row[]): void {
  const columns = ["program", "answered", "p50 ms", "p99 ms", "max ms"];
  const cells = rows.map((row) => [
    row.program,
    `${row.answeredCount}/${row.sentCount}`,
    row.p50Ms.toFixed(2),
    row.p99Ms.toFixed(2),
    row.maxMs.toFixed(2),
  ]);
  for (const line of [columns, ...cells]) {
    console.log(line.map((cell) => cell.padEnd(14)).join(""));
  }
}

async function main(): Promise<void> {
  const obstacle = networkTestObstacle("ip", "dnsmasq");
  if (obstacle !== null) {
    console.error(`proxy-dhcp: ${obstacle}`);
    process.exitCode = 1;
    return;
  }
  const closers: (() => unknown)[] = [];
  const scope = { after: (close: () => unknown) => closers.push(close) } as unknown as TestContext;
  try {
    const rows = [await measureOurs(scope), await measureDnsmasq(scope)];
    const result = { bench: "proxy-dhcp", burstCount: discoverCount, roundCount, cores: cpus().length, rows };
    if (!process.argv.includes("--json")) {
      printTable(rows);
    }
    console.log(JSON.stringify(result));
  } finally {
    for (const close of closers) {
      await close();
    }
  }
}

await main();
