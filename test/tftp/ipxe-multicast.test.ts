import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type HostProcess, NetworkHosts, networkTestObstacle } from "../network-hosts.ts";

/** Two computers whose network card carries iPXE, told by the site's DHCP server what to read. */
async function startRoom(t: TestContext, mode: string, url: string): Promise<HostProcess | null> {
  const obstacle = networkTestObstacle("ip", "qemu-system-x86_64", "dnsmasq");
  if (obstacle !== null) {
    t.skip(obstacle);
    return null;
  }
  const hosts = new NetworkHosts(t);
  hosts.segment("room", [
    { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
    { host: "dhcp", interfaceName: "eth0", address: "10.9.0.2/24" },
  ]);
  const dnsmasq = hosts.start("dhcp", "dnsmasq", [
    ...["--keep-in-foreground", "--port=0", "--no-resolv", "--no-hosts", "--conf-file=/dev/null"],
    ...["--user=root", "--interface=eth0", "--bind-interfaces", "--dhcp-range=10.9.0.100,10.9.0.200,1h"],
    ...["--dhcp-leasefile=/dev/null", "--log-facility=-", `--dhcp-boot=${url}`, "--pid-file="],
  ]);
  await dnsmasq.waitFor("DHCP, IP range");
  const server = hosts.start("server", process.execPath, ["test/tftp/serve-tftp.ts", "eth0", mode]);
  await server.waitFor("ready");
  for (const number of [1, 2]) {
    const tap = `tap${number}`;
    hosts.run("switch", "ip", ["tuntap", "add", "dev", tap, "mode", "tap"]);
    hosts.run("switch", "ip", ["link", "set", tap, "master", "room", "up"]);
    hosts.start("switch", "qemu-system-x86_64", [
      ...["-nodefaults", "-no-user-config", "-display", "none", "-m", "64", "-M", "q35", "-accel", "tcg"],
      ...["-netdev", `tap,id=n0,ifname=${tap},script=no,downscript=no`],
      ...["-device", `e1000,netdev=n0,mac=52:54:00:00:00:0${number},bootindex=1`],
    ]);
  }
  return server;
}

/** The script is the multicast file itself, so whoever asks for what its last line names has read all of it right. */
async function assertBothRead(server: HostProcess): Promise<void> {
  await server.waitFor('"complete":2', 240_000);
  const readers = (fileName: string): number =>
    new Set(
      [...server.output().matchAll(/"fileName":"([^"]+)","clientAddress":"([\d.]+)"/g)]
        .filter(([, name]) => name === fileName)
        .map(([, , address]) => address),
    ).size;
  assert.equal(readers("proof.bin"), 2);
  assert.equal(readers("undionly.kpxe"), 0, "nobody had to read the script itself by unicast");
}

/*
 * QUIRK(ipxe-tftm): Debian 12's iPXE leaves a part of the group's socket address unset and hears nothing there; it
 * reads because blocks go to a deaf master by unicast.
 */
test("TFTP multicast: iPXE in two network cards reads by tftm (RFC 2090)", async (t) => {
  const server = await startRoom(t, "multicast", "tftm://10.9.0.1/undionly.kpxe");
  if (server !== null) {
    await assertBothRead(server);
    await server.waitFor('"multicast-complete":2', 60_000);
  }
});

test("MTFTP: iPXE in two network cards reads by its own group and port", async (t) => {
  const server = await startRoom(t, "ipxe-mtftp", "mtftp://10.9.0.1/undionly.kpxe");
  if (server !== null) {
    await assertBothRead(server);
    await server.waitFor('"multicast-complete":', 60_000);
  }
});
