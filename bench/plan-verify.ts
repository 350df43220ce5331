import { cpus, loadavg } from "node:os";
import { networkTestObstacle, type TestEnd } from "#test/network-hosts.ts";
import { RoutedSite, routedPrograms } from "#test/plan/routed-site.ts";
import { faults, startFlatSite, type VerifySite } from "#test/plan/verify-site.ts";

/*
 * `plan verify` of one segment, the start of the command line included: behind a router and on a flat segment, in both
 * profiles; with everything open, with every datagram and every new connection dropped, and with an agent that hears
 * nothing more. Each host is a network namespace. There is no peer; the target is 60 s.
 *
 * usage: portolan bench plan-verify [--json]
 */

const targetSeconds = 60;
const profiles = ["classic", "firewall"] as const;
type Profile = (typeof profiles)[number];

/** What both ends drop of what comes in; the agent's connection stands, so that it can still be asked. */
const newTraffic = "meta l4proto udp drop; tcp flags & syn == syn drop";

const ways = [
  { way: "all open", rules: {} },
  { way: "all blocked", rules: { server: newTraffic, pc: newTraffic } },
  // Last: the agent does not come back from it in time for another.
  { way: "agent silent", rules: { pc: "drop" } },
] as const;

const places = {
  routed: { start: startRouted, segment: "far" },
  flat: { start: startFlat, segment: "eth0" },
} as const;

type Row = {
  readonly place: keyof typeof places;
  readonly profile: Profile;
  readonly way: (typeof ways)[number]["way"];
  readonly seconds: number;
  readonly passCount: number;
  readonly faultCount: number;
  readonly notTestedCount: number;
};

async function startRouted(end: TestEnd, profile: Profile): Promise<VerifySite> {
  const site = new RoutedSite(end);
  await site.startAll({ profile });
  return site;
}

async function startFlat(end: TestEnd, profile: Profile): Promise<VerifySite> {
  const site = await startFlatSite(end);
  await site.json("settings", "profile", profile);
  await site.startAgent("pc", "10.9.0.1");
  return site;
}

async function measure(place: Row["place"], profile: Profile): Promise<Row[]> {
  const closers: (() => unknown)[] = [];
  try {
    const { start, segment } = places[place];
    const site = await start({ after: (close) => closers.push(close) }, profile);
    const rows: Row[] = [];
    for (const { way, rules } of ways) {
      for (const [host, text] of Object.entries(rules)) {
        const rule = text.replaceAll(/(^|; )/g, '$1iifname "eth0" ');
        const table = `table inet bench { chain c { type filter hook input priority 0; ${rule}; }; }`;
        site.hosts.run(host, "nft", [table]);
      }
      const startedAtMs = performance.now();
      const { cells } = await site.verify("--segment", segment);
      const seconds = Math.round((performance.now() - startedAtMs) / 100) / 10;
      for (const host of Object.keys(rules)) {
        site.hosts.run(host, "nft", ["delete table inet bench"]);
      }
      const passCount = cells.filter(({ verdict }) => verdict === "pass").length;
      const faultCount = faults(cells).length;
      const notTestedCount = cells.length - passCount - faultCount;
      rows.push({ place, profile, way, seconds, passCount, faultCount, notTestedCount });
    }
    return rows;
  } finally {
    for (const close of closers.toReversed()) {
      await close();
    }
  }
}

function printTable(rows: readonly Row[]): void {
  console.log("| segment | profile | network | passes | faults | not tested | seconds | target |");
  console.log("|---|---|---|---|---|---|---|---|");
  for (const { place, profile, way, passCount, faultCount, notTestedCount, seconds } of rows) {
    const cells = [place, profile, way, passCount, faultCount, notTestedCount, seconds.toFixed(1)];
    console.log(`| ${cells.join(" | ")} | ${targetSeconds} |`);
  }
}

async function main(): Promise<void> {
  const obstacle = networkTestObstacle(...routedPrograms);
  if (obstacle !== null) {
    console.error(`plan-verify: ${obstacle}`);
    process.exitCode = 1;
    return;
  }
  const rows: Row[] = [];
  for (const place of ["routed", "flat"] as const) {
    for (const profile of profiles) {
      rows.push(...(await measure(place, profile)));
    }
  }
  if (!process.argv.includes("--json")) {
    printTable(rows);
  }
  const load = loadavg()[0]?.toFixed(1);
  console.log(JSON.stringify({ bench: "plan-verify", targetSeconds, cores: cpus().length, load, rows }));
  process.exitCode = rows.every(({ seconds }) => seconds <= targetSeconds) ? 0 : 1;
}

await main();
