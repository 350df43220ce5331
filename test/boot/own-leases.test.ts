import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { type BootSite, computer, startBootSite, until } from "./boot-site.ts";
import { pxeRequest } from "./pxe-messages.ts";

const skip = networkTestObstacle("ip", "busybox") ?? false;
const busy = "52:54:00:00:00:03";

/** server (10.9.0.1, leases .100 and .101) ── room ── pc, office, third; nobody else. */
function startClosedRoom(t: TestContext): Promise<BootSite> {
  const link = (host: string, last: number): { host: string; interfaceName: string; address: string } => ({
    ...{ host, interfaceName: "eth0" },
    address: `10.9.0.${last}/24`,
  });
  const room = [link("server", 1), link("pc", 2), link("office", 3), link("third", 4)];
  return startBootSite(
    t,
    new NetworkHosts(t),
    { room },
    {
      interfaces: ["eth0"],
      computers: [computer("busy", busy, { work: "preboot" })],
      settings: {
        "boot.mode": "dhcp",
        "boot.dhcpRanges": [{ from: Ipv4Address.parse("10.9.0.100"), to: Ipv4Address.parse("10.9.0.101") }],
      },
    },
  );
}

/** Runs BusyBox's DHCP client once; what it was given, as it names it. */
function lease(
  t: TestContext,
  site: BootSite,
  host: string,
  given: { readonly wanted?: string; readonly tryCount?: number } = {},
): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-udhcpc-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const script = join(folder, "told");
  writeFileSync(script, '#!/bin/sh\n[ "$1" = bound ] && env\nexit 0\n');
  chmodSync(script, 0o755);
  const asks = given.wanted === undefined ? "" : `-r ${given.wanted}`;
  // Who is to get one asks long enough for a slow machine.
  const tryCount = given.tryCount ?? 20;
  const printed = site.hosts.run(host, "sh", [
    "-c",
    `busybox udhcpc -i eth0 -f -q -n -t ${tryCount} -T 1 -s ${script} ${asks} 2>&1 || true`,
  ]);
  return Object.fromEntries(
    printed
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

test(
  "own leases: BusyBox's client gets an address, keeps it, and the third of two gets none",
  { skip },
  async (t) => {
    const site = await startClosedRoom(t);
    const first = lease(t, site, "pc");
    assert.equal(first["ip"], "10.9.0.100");
    assert.equal(first["subnet"], "255.255.255.0");
    assert.equal(first["broadcast"], "10.9.0.255");
    assert.equal(first["lease"], "3600");
    assert.equal(first["serverid"], "10.9.0.1");
    assert.equal(first["router"], undefined);
    assert.equal(lease(t, site, "pc")["ip"], "10.9.0.100");
    const second = lease(t, site, "office", { wanted: "10.9.0.100" });
    assert.equal(second["ip"], "10.9.0.101", "another's is not to be had");
    assert.equal(lease(t, site, "third", { tryCount: 3 })["ip"], undefined);
    await until(() => "no-free-address" in site.counters());
    const counters = site.counters();
    assert.ok((counters["no-free-address"] ?? 0) >= 1, JSON.stringify(counters));
    assert.ok((counters["lease-ack"] ?? 0) >= 3, JSON.stringify(counters));
  },
);

test(
  "own leases: firmware with work gets its boot program with the address, in one answer",
  { skip },
  async (t) => {
    const site = await startClosedRoom(t);
    const replies = site.ask("pc", [pxeRequest({ mac: busy, isBroadcast: true })]);
    assert.equal(replies.length, 1);
    assert.equal(replies[0]?.packet.yourAddress, "10.9.0.100");
    assert.equal(replies[0]?.packet.bootFile, "undionly.kpxe");
    assert.equal(replies[0]?.packet.serverAddress, "10.9.0.1");
  },
);

test(
  "own leases: without a range for its segment the server says so, and stays silent",
  { skip },
  async (t) => {
    const site = await startBootSite(
      t,
      new NetworkHosts(t),
      {
        room: [
          { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
          { host: "pc", interfaceName: "eth0", address: "10.9.0.2/24" },
        ],
      },
      { interfaces: ["eth0"], computers: [], settings: { "boot.mode": "dhcp" } },
    );
    assert.deepEqual(site.ask("pc", [pxeRequest({ mac: busy, isBroadcast: true })], { answerCount: 0 }), []);
    await until(() => site.events().length > 0);
    assert.ok(
      site.events().some(({ outcome, reason }) => outcome === "failed" && reason === "no-lease-range"),
    );
  },
);
