import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { networkTestObstacle } from "../network-hosts.ts";
import { canRunRouted, RoutedSite, serverAddress } from "./routed-site.ts";
import { faults, type VerifyCell, VerifySite } from "./verify-site.ts";

const link = (host: string, address: string) => ({ host, interfaceName: "eth0", address });

function canRun(t: TestContext, ...programs: readonly string[]): boolean {
  const obstacle = networkTestObstacle("ip", "dnsmasq", ...programs);
  if (obstacle !== null) {
    t.skip(obstacle);
  }
  return obstacle === null;
}

/** server .1, dhcp .254, pc .2, and whoever else, on one segment, 10.9.0.0/24. */
async function startRoom(t: TestContext, ...others: readonly string[]): Promise<VerifySite> {
  const site = new VerifySite(t);
  site.hosts.segment("room", [
    link("server", "10.9.0.1/24"),
    link("dhcp", "10.9.0.254/24"),
    link("pc", "10.9.0.2/24"),
    ...others.map((name, index) => link(name, `192.168.66.${index + 1}/24`)),
  ]);
  // Virtual cables leave checksums to a card that is not there; this is the subject of one test alone.
  site.hosts.run("server", "ethtool", ["-K", "eth0", "tx", "off"]);
  await site.startDhcp("dhcp", "10.9.0.100,10.9.0.200");
  await site.startServer(["eth0"]);
  return site;
}

function find(cells: readonly VerifyCell[], flow: string): VerifyCell | undefined {
  return cells.find((cell) => cell.flow === flow);
}

// Each on a network of its own, three at a time: most of it is waiting for what does not come.
describe("what goes wrong in networks, one fault at a time", () => {
  test("a switch port that forwards after 30 s: spanning tree without edge port is named for that computer", async (t) => {
    if (!canRun(t, "busybox", "ethtool")) {
      return;
    }
    const site = await startRoom(t);
    const switchLink = (...args: readonly string[]): string =>
      site.hosts.run("switch", "ip", ["link", "set", ...args]);
    // What boot firmware sends, and how: DISCOVER again and again, saying for how long it has asked.
    const boot = (): string =>
      site.hosts.run(
        "pc",
        "busybox",
        [
          ...["udhcpc", "-f", "-n", "-q", "-i", "eth0", "-s", "/bin/true", "-t", "14", "-T", "4"],
          ...["-V", "PXEClient:Arch:00000:UNDI:002001", "-x", "0x5d:0000"],
        ],
        { timeoutMs: 90_000 },
      );
    boot();
    assert.deepEqual(await site.findingKinds(), [], "silent on an edge port");
    // Computers count whole seconds: one that says 32 may have begun 31 s ago, and the server must have listened by then.
    await setTimeout(2000);

    site.hosts.run("pc", "ip", ["link", "set", "eth0", "down"]);
    site.hosts.run("pc", "ip", ["link", "set", "eth0", "address", "02:00:00:00:00:99"]);
    switchLink("room", "type", "bridge", "stp_state", "1", "forward_delay", "1500");
    site.hosts.run("pc", "ip", ["link", "set", "eth0", "up"]);
    boot();
    while ((await site.findings()).length === 0) {
      await setTimeout(500);
    }
    const [finding, ...others] = await site.findings();
    assert.deepEqual(others, []);
    assert.equal(finding?.kind, "spanning-tree-delay");
    assert.deepEqual(finding?.subject, { type: "computer", mac: "02:00:00:00:00:99" });
    const waited = Number(/asking for (\d+) s/.exec(finding?.evidence ?? "")?.[1]);
    assert.ok(waited >= 24 && waited <= 40, finding?.evidence);
    assert.match(finding?.remedy ?? "", /spanning-tree portfast/);
    const [, ...events] = (await site.portolan("boot", "events")).stdout.split("\n");
    assert.ok(
      events.some((line) => new RegExp(`discover .*asking for ${waited} s`).test(line)),
      events.join("\n"),
    );
  });

  test("a rogue DHCP server is named with its address, and is over when it is gone", async (t) => {
    if (!canRun(t, "ethtool")) {
      return;
    }
    const site = await startRoom(t, "rogue");
    await site.startAgent("pc", "10.9.0.1");
    await site.verify();
    assert.ok(!(await site.findingKinds()).includes("rogue-dhcp-server"));
    const rogue = await site.startDhcp("rogue", "192.168.66.100,192.168.66.200");
    await site.verify();
    const finding = (await site.findings()).find(({ kind }) => kind === "rogue-dhcp-server");
    assert.match(
      finding?.evidence ?? "",
      /^192\.168\.66\.1 offers 192\.168\.66\.1\d\d, which is not of 10\.9\.0\.0\/24$/,
    );
    assert.match(finding?.remedy ?? "", /192\.168\.66\.1/);
    rogue.child.kill("SIGKILL");
    await site.verify();
    assert.ok(!(await site.findingKinds()).includes("rogue-dhcp-server"));
  });

  test("no DHCP server: booting computers get no address, and that is said", async (t) => {
    if (!canRun(t, "ethtool")) {
      return;
    }
    const site = new VerifySite(t);
    site.hosts.segment("room", [link("server", "10.9.0.1/24"), link("pc", "10.9.0.2/24")]);
    await site.startServer(["eth0"]);
    await site.startAgent("pc", "10.9.0.1");
    const { cells } = await site.verify();
    assert.deepEqual(
      faults(cells).map(({ flow, verdict, causeCode }) => [flow, verdict, causeCode]),
      [["boot.dhcp", "degraded", "dhcp-server-missing"]],
    );
    assert.ok((await site.findingKinds()).includes("dhcp-server-missing"));
  });

  test("checksum offload on a virtual cable: unfinished checksums are seen, and not where it is off", async (t) => {
    if (!canRun(t, "ethtool")) {
      return;
    }
    const site = await startRoom(t);
    await site.startAgent("pc", "10.9.0.1");
    await site.verify();
    assert.ok(!(await site.findingKinds()).includes("bad-checksums"));
    site.hosts.run("server", "ethtool", ["-K", "eth0", "tx", "on"]);
    await site.verify();
    const finding = (await site.findings()).find(({ kind }) => kind === "bad-checksums");
    assert.match(
      finding?.evidence ?? "",
      /^\d+ of \d+ datagrams of the server arrive with an unfinished UDP checksum$/,
    );
    assert.equal(finding?.remedy, "on the server: ethtool -K eth0 tx off");
  });

  test("IGMP snooping: without a querier it is named, and pruning makes it a fault; with one it is silent", async (t) => {
    if (!canRun(t, "ethtool")) {
      return;
    }
    const site = await startRoom(t, "querier");
    const bridge = (host: string, name: string, ...options: readonly string[]): string =>
      site.hosts.run(host, "ip", ["link", "set", name, "type", "bridge", ...options]);
    await site.startAgent("pc", "10.9.0.1");

    bridge("switch", "room", "mcast_snooping", "1");
    const flooded = await site.verify();
    assert.equal(find(flooded.cells, "imaging.data")?.verdict, "pass");
    assert.ok((await site.findingKinds()).includes("no-igmp-querier"));

    bridge("switch", "room", "mcast_querier", "1");
    const queried = await site.verify();
    assert.match(find(queried.cells, "imaging.data")?.evidence ?? "", /IGMP querier \d/);
    assert.equal(find(queried.cells, "imaging.data")?.verdict, "pass");
    assert.ok(!(await site.findingKinds()).includes("no-igmp-querier"), "silent with a querier");

    // A querier that was there and is not any more: the switch goes on pruning, for a time.
    bridge("switch", "room", "mcast_querier", "0");
    site.hosts.run("querier", "ip", ["link", "add", "br0", "type", "bridge", "mcast_snooping", "1"]);
    site.hosts.run("querier", "ip", ["link", "set", "eth0", "master", "br0"]);
    site.hosts.run("querier", "ip", ["link", "set", "br0", "up"]);
    bridge("querier", "br0", "mcast_querier", "1");
    await setTimeout(3000);
    bridge("querier", "br0", "mcast_querier", "0");
    await setTimeout(11_000);
    const pruned = find((await site.verify()).cells, "imaging.data");
    assert.deepEqual([pruned?.verdict, pruned?.causeCode], ["degraded", "no-querier"]);
    assert.match(pruned?.remedy ?? "", /querier/);
  });

  test("a TTL one too small: said with the one that does, and mended by the command it names", async (t) => {
    if (!canRunRouted(t)) {
      return;
    }
    const site = new RoutedSite(t);
    await site.startAll();
    await site.portolan("settings", "set", "imaging.ttl", "1");
    const { cells } = await site.verify("--segment", "far");
    assert.deepEqual(
      faults(cells).map(({ flow, verdict, causeCode, remedy }) => [flow, verdict, causeCode, remedy]),
      [["imaging.data", "blocked", "ttl-too-small", "portolan settings set imaging.ttl 2"]],
    );
    assert.ok((await site.findingKinds()).includes("ttl-too-small"));
    await site.portolan("settings", "set", "imaging.ttl", "2");
    assert.deepEqual(faults((await site.verify("--segment", "far")).cells), []);
    assert.ok(!(await site.findingKinds()).includes("ttl-too-small"));
  });

  test("a link of 1400 bytes on the way: the flows that fill packets are degraded, and the size is said", async (t) => {
    if (!canRunRouted(t)) {
      return;
    }
    const site = new RoutedSite(t);
    await site.startAll();
    site.hosts.run("router", "ip", ["link", "set", "eth1", "mtu", "1400"]);
    const { cells } = await site.verify("--segment", "far");
    assert.deepEqual(
      faults(cells).map(({ flow, verdict, causeCode }) => [flow, verdict, causeCode]),
      [
        ["boot.tftp-data", "degraded", "path-mtu"],
        ["imaging.data", "degraded", "path-mtu"],
      ],
      JSON.stringify(faults(cells), null, 1),
    );
    assert.match(
      find(cells, "boot.tftp-data")?.evidence ?? "",
      /largest packet that passes whole has 1400 bytes/,
    );
    assert.ok((await site.findingKinds()).includes("path-mtu"));
    site.hosts.run("router", "ip", ["link", "set", "eth1", "mtu", "1500"]);
    for (const host of ["server", "pc"]) {
      site.hosts.run(host, "ip", ["route", "flush", "cache"]);
    }
    assert.deepEqual(faults((await site.verify("--segment", "far")).cells), []);
    assert.ok(!(await site.findingKinds()).includes("path-mtu"));
  });

  test("a forwarder that writes no giaddr is named by verifying and by watching; a relay is not", async (t) => {
    if (!canRunRouted(t)) {
      return;
    }
    const site = new RoutedSite(t);
    const { relay } = await site.startAll();
    await site.verify("--segment", "far");
    assert.ok(!(await site.findingKinds()).includes("relay-without-giaddr"));
    relay.child.kill("SIGKILL");
    const forwarder = site.hosts.start("router", process.execPath, [
      "test/plan/plain-forwarder.ts",
      serverAddress,
    ]);
    await forwarder.waitFor("forwarding");
    const { cells } = await site.verify("--segment", "far");
    assert.deepEqual(
      faults(cells).map(({ flow, verdict, causeCode }) => [flow, verdict, causeCode]),
      [["boot.dhcp", "blocked", "relay-without-giaddr"]],
    );
    assert.equal(find(cells, "boot.dhcp-reply")?.verdict, "not-tested");
    const finding = (await site.findings()).find(({ kind }) => kind === "relay-without-giaddr");
    assert.deepEqual(finding?.subject, { type: "segment", name: "far" });
  });

  test("a relay that nobody named to the server: the line to add is said", async (t) => {
    if (!canRunRouted(t)) {
      return;
    }
    const site = new RoutedSite(t);
    await site.startAll({ relays: [] });
    const { cells } = await site.verify("--segment", "far");
    assert.deepEqual(
      faults(cells).map(({ flow, causeCode }) => [flow, causeCode]),
      [["boot.dhcp", "relay-not-listed"]],
    );
    assert.match(find(cells, "boot.dhcp")?.remedy ?? "", /relays = \["192\.168\.20\.254"\]/);
  });
});
