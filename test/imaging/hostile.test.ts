import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { ImagingSite } from "./imaging-site.ts";

const skip = networkTestObstacle("ip", "tc", "sysctl", "losetup") ?? false;
const diskSizeBytes = 24 << 20;
const serverAddress = "10.7.0.1";

type Counts = { readonly replayed: number; readonly foreign: number; readonly forged: number };
type Session = { readonly sentBytes: number; readonly copyBytes: number; readonly movedToUnicast: unknown[] };
type Played = {
  readonly outputs: readonly string[];
  readonly session: Session;
  readonly counts: Counts;
};

/**
 * Deploys a disk to two computers while a stranger in their room, who bears the server's address, fills its cable of 100
 * Mbit/s; both disks must be the source, byte for byte.
 */
async function deployAmongStrangers(t: TestContext, flags: readonly string[]): Promise<Played> {
  const site = new ImagingSite(t, ["pc1", "pc2", "stranger"]);
  // The server's address, and no answer to anyone who looks for it.
  site.hosts.run("stranger", "ip", ["link", "set", "eth0", "arp", "off"]);
  site.hosts.run("stranger", "ip", ["addr", "add", `${serverAddress}/32`, "dev", "lo"]);
  // Or its own kernel keeps from it what has the address that is its own now.
  site.hosts.run("stranger", "sysctl", ["-qw", "net.ipv4.conf.all.accept_local=1"]);
  site.hosts.run("stranger", "ip", ["route", "add", "224.0.0.0/4", "dev", "eth0"]);
  const rate = ["rate", "100mbit", "burst", "64kb", "limit", "4mb"];
  site.hosts.run("stranger", "tc", ["qdisc", "add", "dev", "eth0", "root", "tbf", ...rate]);
  const source = join(site.folder, "source.raw");
  writeFileSync(source, randomBytes(diskSizeBytes));
  await site.startServer();
  site.portolan("image", "import", source, "random");
  site.portolan("settings", "set", "imaging.maxMbps", "60");
  const computers: {
    id: string;
    agent: { output: () => string; waitFor: (text: string, ms: number) => unknown };
  }[] = [];
  const devices: string[] = [];
  for (const name of ["pc1", "pc2"]) {
    const path = join(site.folder, `${name}.raw`);
    writeFileSync(path, "");
    truncateSync(path, diskSizeBytes);
    const device = site.attach(path);
    devices.push(device);
    computers.push(await site.startComputer(name, device));
  }
  const stranger = site.hosts.start("stranger", process.execPath, [
    ...[
      "--disable-warning=ExperimentalWarning",
      "test/imaging/send-hostile-datagrams.ts",
      "--as",
      serverAddress,
    ],
    ...["--group", "224.2.0.2", "--port", "401", ...flags],
  ]);
  await stranger.waitFor("listening", 60_000);
  site.startPortolan("deploy", "random", ...computers.map(({ id }) => id));
  for (const { agent } of computers) {
    await agent.waitFor("task done", 300_000);
  }
  for (const device of devices) {
    assert.equal(hash("sha256", readFileSync(device)), hash("sha256", readFileSync(source)));
  }
  const [session] = site.portolan("session", "list") as Session[];
  assert.ok(session);
  stranger.child.kill("SIGTERM");
  await stranger.waitFor("}", 60_000);
  const last = stranger.output().trim().split("\n").at(-1) ?? "";
  const counts = JSON.parse(last) as Counts;
  t.diagnostic(`${last} sent by the stranger; ${(session.sentBytes / session.copyBytes).toFixed(2)} copies`);
  return { outputs: computers.map(({ agent }) => agent.output()), session, counts };
}

test(
  "imaging: replayed and foreign datagrams with the server's address, a cable full of them: both disks right by multicast",
  { skip },
  async (t) => {
    const { outputs, session, counts } = await deployAmongStrangers(t, []);
    assert.ok(counts.replayed > 1000 && counts.foreign > 1000, JSON.stringify(counts));
    assert.deepEqual(session.movedToUnicast, []);
    for (const output of outputs) {
      assert.doesNotMatch(output, /by unicast/);
    }
  },
);

test(
  "imaging: forged pieces of chunks to come, a cable full of them: computers say so, go on by unicast, both disks right",
  { skip },
  async (t) => {
    const { outputs, counts } = await deployAmongStrangers(t, ["--forge"]);
    assert.ok(counts.forged > 1000, JSON.stringify(counts));
    for (const output of outputs) {
      assert.match(output, /somebody forges multicast datagrams of this session; going on by unicast/);
    }
  },
);
