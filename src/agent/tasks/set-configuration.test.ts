import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setConfiguration } from "./set-configuration.ts";

const nothing = { kind: "set-configuration", hostName: null, domain: null, network: null } as const;
const fixed = {
  type: "static",
  interfaceName: "eth0",
  address: "10.0.0.5/24",
  gateway: "10.0.0.1",
  nameServers: ["10.0.0.2"],
} as const;

function makeRoot(t: TestContext, ...folders: string[]): string {
  const root = mkdtempSync(join(tmpdir(), "portolan-root-"));
  t.after(() => rmSync(root, { recursive: true }));
  for (const folder of folders) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  return root;
}

test("configuration: the host name goes into hostname and hosts, and what else is in hosts stays", async (t) => {
  const root = makeRoot(t, "etc");
  writeFileSync(join(root, "etc/hosts"), "127.0.0.1\tlocalhost\n127.0.1.1\told\n10.0.0.9\tprinter\n");
  const task = { ...nothing, hostName: "pc-07", domain: "example.org" };
  assert.deepEqual(await setConfiguration(task, root, "linux"), { outcome: "done", reason: null });
  assert.equal(readFileSync(join(root, "etc/hostname"), "utf8"), "pc-07\n");
  assert.equal(
    readFileSync(join(root, "etc/hosts"), "utf8"),
    "127.0.0.1\tlocalhost\n127.0.1.1\tpc-07.example.org pc-07\n10.0.0.9\tprinter\n",
  );
});

test("configuration: an address is written for the network program that the system has", async (t) => {
  const ifupdown = makeRoot(t, "etc/network/interfaces.d", "etc/systemd/network");
  await setConfiguration({ ...nothing, network: fixed }, ifupdown, "linux");
  assert.match(
    readFileSync(join(ifupdown, "etc/network/interfaces.d/portolan"), "utf8"),
    /auto eth0\niface eth0 inet static\n {4}address 10\.0\.0\.5\/24\n {4}gateway 10\.0\.0\.1\n/,
  );
  const networkd = makeRoot(t, "etc/systemd/network");
  const dhcp = { type: "dhcp", interfaceName: null } as const;
  await setConfiguration({ ...nothing, domain: "example.org", network: dhcp }, networkd, "linux");
  assert.equal(
    readFileSync(join(networkd, "etc/systemd/network/10-portolan.network"), "utf8"),
    "[Match]\nType=ether\n\n[Network]\nDHCP=ipv4\nDomains=example.org\n",
  );
});

test("configuration: values that are none are refused before anything is written", async (t) => {
  const root = makeRoot(t, "etc", "etc/systemd/network");
  const wrong = [
    { ...nothing, hostName: "a b" },
    { ...nothing, hostName: "x\nroot" },
    { ...nothing, domain: "a..b" },
    { ...nothing, network: { ...fixed, address: "10.0.0.5" } },
    { ...nothing, network: { ...fixed, gateway: "10.0.0.1\nDHCP=yes" } },
    { ...nothing, network: { ...fixed, interfaceName: "eth0\n[x]" } },
  ];
  for (const task of wrong) {
    assert.equal((await setConfiguration(task, root, "linux")).outcome, "failed", JSON.stringify(task));
  }
  assert.throws(() => readFileSync(join(root, "etc/hostname")), /ENOENT/);
  assert.throws(() => readFileSync(join(root, "etc/systemd/network/10-portolan.network")), /ENOENT/);
});

test("configuration: a system whose network program is not known says so", async (t) => {
  const root = makeRoot(t, "etc");
  const outcome = await setConfiguration({ ...nothing, network: fixed }, root, "linux");
  assert.match(outcome.reason ?? "", /neither systemd-networkd nor ifupdown/);
  const elsewhere = await setConfiguration({ ...nothing, hostName: "pc" }, root, "win32");
  assert.match(elsewhere.reason ?? "", /not set on win32/);
});
