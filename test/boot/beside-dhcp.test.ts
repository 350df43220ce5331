import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { BootEvent } from "#engine/boot/boot-event.ts";
import { serverIdentifier } from "#wire/dhcp4/options/addresses.ts";
import { vendorClass } from "#wire/dhcp4/options/texts.ts";
import { type HostProcess, NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { type BootSite, computer, startBootSite, until, untilCounted } from "./boot-site.ts";
import { pxeRequest } from "./pxe-messages.ts";

const busy = "52:54:00:00:00:03";
const idle = "52:54:00:00:00:02";
const computers = [computer("busy", busy, { work: "preboot" }), computer("idle", idle)];

function canRun(t: TestContext, ...programs: readonly string[]): boolean {
  const obstacle = networkTestObstacle("ip", ...programs);
  if (obstacle !== null) {
    t.skip(obstacle);
  }
  return obstacle === null;
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-dhcp-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** dhcp (10.9.0.254, the site's own) ── room ── server (10.9.0.1), pc, office */
function startRoom(t: TestContext, relays: readonly string[] = []): Promise<BootSite> {
  const link = (host: string, address: string): { host: string; interfaceName: string; address: string } => ({
    host,
    interfaceName: "eth0",
    address,
  });
  const room = [
    link("server", "10.9.0.1/24"),
    link("dhcp", "10.9.0.254/24"),
    link("pc", "10.9.0.2/24"),
    link("office", "10.9.0.3/24"),
  ];
  return startBootSite(t, new NetworkHosts(t), { room }, { interfaces: ["eth0"], computers, relays });
}

type SiteDhcp = {
  readonly name: string;
  readonly programs: readonly string[];
  readonly start: (t: TestContext, hosts: NetworkHosts) => Promise<HostProcess>;
};

const dnsmasq: SiteDhcp = {
  name: "dnsmasq",
  programs: ["dnsmasq"],
  async start(t, hosts) {
    const folder = temporaryFolder(t);
    const started = hosts.start("dhcp", "dnsmasq", [
      "--keep-in-foreground",
      "--conf-file=/dev/null",
      "--port=0",
      "--interface=eth0",
      "--bind-dynamic",
      "--no-ping",
      "--user=root",
      "--log-dhcp",
      "--log-facility=-",
      `--dhcp-leasefile=${join(folder, "leases")}`,
      `--pid-file=${join(folder, "pid")}`,
      "--dhcp-range=10.9.0.100,10.9.0.200,1h",
    ]);
    await started.waitFor("DHCP, IP range");
    return started;
  },
};

const kea: SiteDhcp = {
  name: "Kea",
  programs: ["kea-dhcp4"],
  async start(t, hosts) {
    const folder = temporaryFolder(t);
    const path = join(folder, "kea.json");
    const subnet = {
      id: 1,
      subnet: "10.9.0.0/24",
      interface: "eth0",
      pools: [{ pool: "10.9.0.100 - 10.9.0.200" }],
    };
    const config = {
      Dhcp4: {
        "interfaces-config": { interfaces: ["eth0"] },
        "lease-database": { type: "memfile", persist: false },
        subnet4: [subnet],
        loggers: [{ name: "kea-dhcp4", severity: "INFO", output_options: [{ output: "stdout" }] }],
      },
    };
    writeFileSync(path, JSON.stringify(config));
    const started = hosts.start("dhcp", "kea-dhcp4", ["-c", path], {
      KEA_PIDFILE_DIR: folder,
      KEA_LOCKFILE_DIR: folder,
    });
    await started.waitFor("DHCP4_STARTED");
    return started;
  },
};

for (const siteDhcp of [dnsmasq, kea]) {
  test(`boot beside ${siteDhcp.name}: the lease is always theirs, the boot offer always ours`, async (t) => {
    if (!canRun(t, ...siteDhcp.programs)) {
      return;
    }
    const site = await startRoom(t);
    await siteDhcp.start(t, site.hosts);
    const replies = site.ask("pc", [pxeRequest({ mac: busy, isBroadcast: true })], {
      ...{ answerCount: 2, waitMs: 1500 },
    });
    const sources = new Map(replies.map((reply) => [reply.from, reply.packet]));
    assert.deepEqual([...sources.keys()].sort(), ["10.9.0.1:67", "10.9.0.254:67"]);
    const ours = sources.get("10.9.0.1:67");
    const theirs = sources.get("10.9.0.254:67");
    assert.equal(ours?.yourAddress, "0.0.0.0");
    assert.equal(vendorClass(ours.options), "PXEClient");
    assert.match(theirs?.yourAddress ?? "", /^10\.9\.0\.1\d\d$/);

    const request = pxeRequest({
      mac: busy,
      isBroadcast: true,
      type: "request",
      selectedServer: "10.9.0.254",
      requestedAddress: theirs?.yourAddress ?? "",
    });
    const leased = site.ask("pc", [request], { waitMs: 1000 });
    assert.deepEqual(
      leased.map(({ from, packet }) => [from, serverIdentifier(packet.options)]),
      [["10.9.0.254:67", "10.9.0.254"]],
    );
  });

  test(`boot beside ${siteDhcp.name}: an ordinary client gets its lease and not one packet from us`, async (t) => {
    if (!canRun(t, ...siteDhcp.programs, "busybox", "tcpdump")) {
      return;
    }
    const site = await startRoom(t);
    await siteDhcp.start(t, site.hosts);
    const watched = site.hosts.start("office", "tcpdump", ["-lnni", "eth0", "udp and src host 10.9.0.1"]);
    await watched.waitFor("listening on");
    const script = join(temporaryFolder(t), "accept");
    writeFileSync(script, "#!/bin/sh\nexit 0\n");
    chmodSync(script, 0o755);
    const udhcpc = ["udhcpc", "-f", "-q", "-n", "-i", "eth0", "-t", "10", "-T", "2", "-s", script];
    site.hosts.run("office", "sh", ["-c", `busybox ${udhcpc.join(" ")} 2>&1`]);
    const idleReplies = site.ask("pc", [pxeRequest({ mac: idle, isBroadcast: true })], {
      ...{ waitMs: 1200 },
    });
    assert.deepEqual(
      idleReplies.map(({ from }) => from),
      ["10.9.0.254:67"],
      "a known computer without work hears only its DHCP server",
    );
    assert.ok(!watched.output().includes("10.9.0.1."), watched.output());
    await until(() => (site.counters()["not-pxe"] ?? 0) >= 2 && "known-without-work" in site.counters());
    const { "not-pxe": ordinary = 0, ...others } = site.counters();
    assert.ok(ordinary >= 2, "DISCOVER and REQUEST of the ordinary client were counted");
    assert.deepEqual(others, { "known-without-work": 1 });
  });
}

/** How many packets perfdhcp says it has sent, or received. Kept waiting itself, it sends some more than were asked for. */
function perfdhcpCount(output: string, what: "sent" | "received"): number {
  return Number(new RegExp(`${what} packets: (\\d+)`).exec(output)?.[1] ?? Number.NaN);
}

test("boot: perfdhcp's 500 DISCOVERs of PXE firmware are all answered, its ordinary ones never", async (t) => {
  if (!canRun(t, "perfdhcp", "tcpdump")) {
    return;
  }
  // perfdhcp plays a relay with its own address as giaddr.
  const site = await startRoom(t, ["10.9.0.2"]);
  const load = ["-4", "-i", "-g", "single", "-l", "eth0", "-r", "500", "-R", "500", "-n", "500"];
  const perfdhcp = (added: readonly string[]): string =>
    site.hosts.run("pc", "sh", ["-c", `perfdhcp ${[...load, ...added].join(" ")} 2>&1 || true`]);
  const pxeClass = Buffer.from("PXEClient:Arch:00000:UNDI:002001").toString("hex");
  const answers = site.hosts.start("pc", "tcpdump", [
    ...["-lnni", "eth0", "-B", "8192", "-c", "500", "src host 10.9.0.1 and udp src port 67"],
  ]);
  await answers.waitFor("listening on");
  const asFirmware = perfdhcp(["-o", `60,${pxeClass}`, "-o", "93,0000"]);
  const sentCount = perfdhcpCount(asFirmware, "sent");
  assert.ok(sentCount >= 500, asFirmware);
  await untilCounted(site, sentCount);
  assert.equal(site.counters()["answered"], sentCount, JSON.stringify(site.counters()));
  await answers.waitFor("500 packets captured");
  // It stops at the moment its last packet is out, and does not wait for answers that are still on their way.
  assert.ok(perfdhcpCount(asFirmware, "received") > 0, asFirmware);
  const asOrdinary = perfdhcp([]);
  const ordinaryCount = perfdhcpCount(asOrdinary, "sent");
  assert.ok(ordinaryCount >= 500, asOrdinary);
  await untilCounted(site, sentCount + ordinaryCount);
  assert.equal(site.counters()["not-pxe"], ordinaryCount, JSON.stringify(site.counters()));
  assert.equal(perfdhcpCount(asOrdinary, "received"), 0, asOrdinary);
});

/** room B ── relay2 ── room A ── relay1 ── core ── server. relay2 forwards to relay1, relay1 to the server. */
async function startRelays(t: TestContext, relays: readonly string[]): Promise<BootSite> {
  const hosts = new NetworkHosts(t);
  const link = (host: string, interfaceName: string, address: string): object => ({
    host,
    interfaceName,
    address,
  });
  const segments = {
    core: [link("server", "eth0", "10.1.0.1/24"), link("relay1", "eth1", "10.1.0.2/24")],
    rooma: [
      link("relay1", "eth0", "10.2.0.1/24"),
      link("pca", "eth0", "10.2.0.50/24"),
      link("relay2", "eth1", "10.2.0.2/24"),
    ],
    roomb: [link("relay2", "eth0", "10.3.0.1/24"), link("pcb", "eth0", "10.3.0.50/24")],
  } as Parameters<typeof startBootSite>[2];
  const site = await startBootSite(t, hosts, segments, { interfaces: ["eth0"], relays, computers });
  for (const relay of ["relay1", "relay2"]) {
    hosts.run(relay, "sh", ["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
  }
  hosts.run("server", "ip", ["route", "add", "10.0.0.0/8", "via", "10.1.0.2"]);
  hosts.run("relay1", "ip", ["route", "add", "10.3.0.0/24", "via", "10.2.0.2"]);
  hosts.run("relay2", "ip", ["route", "add", "10.1.0.0/24", "via", "10.2.0.1"]);
  const base = ["-4", "-d", "--no-pid", "-a", "-m", "forward"];
  const first = hosts.start("relay1", "dhcrelay", [...base, "-id", "eth0", "-iu", "eth1", "10.1.0.1"]);
  const second = hosts.start("relay2", "dhcrelay", [...base, "-id", "eth0", "-iu", "eth1", "10.2.0.1"]);
  await first.waitFor("Sending on   Socket");
  await second.waitFor("Sending on   Socket");
  return site;
}

test("boot behind ISC relays: a computer with work gets it by its own MAC, over one relay and over two", async (t) => {
  if (!canRun(t, "dhcrelay")) {
    return;
  }
  const site = await startRelays(t, ["10.2.0.1", "10.3.0.1"]);
  for (const [pc, relay] of [
    ["pca", "10.2.0.1"],
    ["pcb", "10.3.0.1"],
  ] as const) {
    const [offer, ...more] = site.ask(pc, [pxeRequest({ mac: busy })], { waitMs: 1500 });
    assert.equal(more.length, 0);
    assert.equal(offer?.packet.bootFile, "undionly.kpxe", pc);
    assert.equal(offer.packet.serverAddress, "10.1.0.1");
    assert.equal(serverIdentifier(offer.packet.options), "10.1.0.1");
    assert.deepEqual(site.ask(pc, [pxeRequest({ mac: idle })], { answerCount: 0, waitMs: 600 }), []);
    const seen = (reason: string | null): BootEvent | undefined =>
      site.events().find((event) => event.relay?.address === relay && event.reason === reason);
    await until(() => seen(null) !== undefined && seen("known-without-work") !== undefined);
    assert.equal(seen(null)?.computerId, "busy", pc);
    assert.match(seen(null)?.relay?.circuitId ?? "", /^[0-9a-f]+$/, "option 82 was read");
    assert.equal(seen("known-without-work")?.computerId, "idle", pc);
  }
});

test("boot behind a relay nobody named: silence with the reason", async (t) => {
  if (!canRun(t, "dhcrelay")) {
    return;
  }
  const site = await startRelays(t, ["10.3.0.1"]);
  assert.deepEqual(site.ask("pca", [pxeRequest({ mac: busy })], { answerCount: 0, waitMs: 800 }), []);
  await until(() => site.events().length > 0);
  const [event] = site.events();
  assert.equal(event?.reason, "relay-not-listed");
  assert.equal(event.relay?.address, "10.2.0.1");
});
