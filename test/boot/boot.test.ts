import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { serverIdentifier } from "#wire/dhcp4/options/addresses.ts";
import { messageType } from "#wire/dhcp4/options/message-type.ts";
import { tftpServerName } from "#wire/dhcp4/options/texts.ts";
import { encodeDhcpPacket } from "#wire/dhcp4/packet.ts";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import {
  type BootSite,
  bootFileContent,
  computer,
  makeDataDir,
  startBootServer,
  startBootSite,
  until,
  untilCounted,
} from "./boot-site.ts";
import { pxeRequest } from "./pxe-messages.ts";

const macs = {
  unknown: "52:54:00:00:00:01",
  idle: "52:54:00:00:00:02",
  busy: "52:54:00:00:00:03",
  twinA: "52:54:00:00:00:04",
  twinB: "52:54:00:00:00:05",
} as const;
const duplicateUuidHex = "44454c4c310010358048b7c04f333032";
const duplicateUuid = "4c4c4544-0031-3510-8048-b7c04f333032";
const computers = [
  computer("idle", macs.idle),
  computer("busy", macs.busy, { work: "preboot" }),
  ...(["twinA", "twinB"] as const).map((name) =>
    computer(name, macs[name], { work: "preboot", uuid: duplicateUuid as never }),
  ),
];

function canRun(t: TestContext, ...programs: readonly string[]): boolean {
  const obstacle = networkTestObstacle("ip", ...programs);
  if (obstacle !== null) {
    t.skip(obstacle);
  }
  return obstacle === null;
}

/** server (10.9.0.1) ── room ── pc (10.9.0.2) */
function startRoom(t: TestContext, options: { isStoreDown?: boolean } = {}): Promise<BootSite> {
  const links = [
    { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
    { host: "pc", interfaceName: "eth0", address: "10.9.0.2/24" },
  ];
  return startBootSite(
    t,
    new NetworkHosts(t),
    { room: links },
    { interfaces: ["eth0"], computers, ...options },
  );
}

test("boot: who is answered and who is not, each with its reason", async (t) => {
  if (!canRun(t)) {
    return;
  }
  const site = await startRoom(t);
  const assertAnswers = (answerCount: number, given: Parameters<typeof pxeRequest>[0], who: string): void =>
    assert.equal(site.ask("pc", [pxeRequest(given)], { answerCount }).length, answerCount, who);
  assertAnswers(1, { mac: macs.unknown }, "unknown: Initial Deployment");
  assertAnswers(1, { mac: macs.busy }, "known with work");
  assertAnswers(0, { mac: macs.idle }, "known without work");
  assertAnswers(0, { mac: macs.unknown, architecture: null }, "ordinary client");
  assertAnswers(0, { mac: macs.unknown, architecture: 11 }, "ARM64");
  assertAnswers(0, { mac: macs.twinA, uuidHex: duplicateUuidHex }, "duplicate UUID");
  assertAnswers(0, { mac: macs.busy, type: "request", selectedServer: "10.9.0.254" }, "lease");
  assertAnswers(0, { mac: macs.busy, relayAddress: "10.9.0.2" }, "relay nobody named");
  await untilCounted(site, 8);
  assert.deepEqual(site.counters(), {
    answered: 2,
    "known-without-work": 1,
    "not-pxe": 1,
    "unsupported-architecture": 1,
    conflict: 1,
    "other-server-selected": 1,
    "relay-not-listed": 1,
  });
  await until(() => site.events().some(({ reason }) => reason === "relay-not-listed"));
  const held = site.events().find(({ reason }) => reason === "conflict");
  assert.deepEqual(held?.conflict, { conflict: "duplicate-uuid", computerIds: ["twinA", "twinB"] });
  const offered = site.events().filter(({ stage }) => stage === "offer");
  assert.deepEqual(
    offered.map(({ mac, computerId, file, secondsElapsed }) => ({ mac, computerId, file, secondsElapsed })),
    [
      { mac: macs.unknown, computerId: null, file: "undionly.kpxe", secondsElapsed: 4 },
      { mac: macs.busy, computerId: "busy", file: "undionly.kpxe", secondsElapsed: 4 },
    ],
  );
});

test("boot: a whole PXE boot, with port 4011 and without it", async (t) => {
  if (!canRun(t, "tftp", "curl")) {
    return;
  }
  const site = await startRoom(t);
  const [offer] = site.ask("pc", [pxeRequest({ mac: macs.busy })]);
  assert.equal(offer?.from, "10.9.0.1:67");
  assert.equal(offer.packet.yourAddress, "0.0.0.0");
  const lease = pxeRequest({
    mac: macs.busy,
    type: "request",
    selectedServer: "10.9.0.254",
    requestedAddress: "10.9.0.2",
  });
  assert.deepEqual(site.ask("pc", [lease], { answerCount: 0 }), []);
  const asked = pxeRequest({
    mac: macs.busy,
    type: "request",
    clientAddress: "10.9.0.2",
    selectedServer: "10.9.0.1",
  });
  const [acknowledged] = site.ask("pc", [asked], { address: "10.9.0.1", port: 4011, localPort: 4011 });
  assert.equal(acknowledged?.from, "10.9.0.1:4011");
  assert.equal(messageType(acknowledged.packet.options), "ack");
  assert.equal(acknowledged.packet.bootFile, offer.packet.bootFile);

  const folder = makeDataDir(t);
  site.hosts.run("pc", "tftp", ["-m", "binary", "10.9.0.1", "-c", "get", offer.packet.bootFile], {
    cwd: folder,
  });
  assert.ok(readFileSync(join(folder, offer.packet.bootFile)).equals(bootFileContent("undionly.kpxe")));

  const [second] = site.ask("pc", [pxeRequest({ mac: macs.busy, isIpxe: true })]);
  const url = second?.packet.bootFile ?? "";
  assert.equal(url, `http://10.9.0.1:8069/boot/script.ipxe?mac=${macs.busy}`);
  const script = site.hosts.run("pc", "curl", ["-sf", url]);
  for (const name of ["vmlinuz", "initrd.img"]) {
    const fileUrl = new RegExp(`http://\\S+/boot/${name}`).exec(script)?.[0] ?? "";
    site.hosts.run("pc", "curl", ["-sf", "-o", join(folder, name), fileUrl]);
    assert.ok(readFileSync(join(folder, name)).equals(bootFileContent(name)), name);
  }
  const root = /portolan\.root=(\S+)/.exec(script)?.[1] ?? "";
  site.hosts.run("pc", "curl", ["-sf", "-o", join(folder, "root"), root]);
  assert.match(
    script,
    /portolan\.boot=[0-9a-f]{64} BOOTIF=01-52-54-00-00-00-03 mitigations=off console=ttyS0/,
  );
  await until(() => site.events().some(({ stage }) => stage === "preboot-image"));
  const steps = site.events().filter(({ mac }) => mac === macs.busy);
  assert.deepEqual(
    steps.map(({ stage, outcome }) => `${stage} ${outcome}`),
    [
      "offer done",
      "lease ignored",
      "boot-server done",
      "loader done",
      "offer done",
      "script done",
      "kernel done",
      "initrd done",
      "preboot-image done",
    ],
  );
});

test("boot: every kind of firmware gets what it can run, from the address it asked", async (t) => {
  if (!canRun(t)) {
    return;
  }
  const site = await startRoom(t);
  const fileFor = (given: Partial<Parameters<typeof pxeRequest>[0]>): string | undefined =>
    site.ask("pc", [pxeRequest({ mac: macs.unknown, ...given })])[0]?.packet.bootFile;
  assert.equal(fileFor({ architecture: 0 }), "undionly.kpxe");
  assert.equal(fileFor({ architecture: 7, mac: "52:54:00:00:01:07" }), "snponly.efi");
  assert.equal(fileFor({ architecture: 9, mac: "52:54:00:00:01:09" }), "snponly.efi");
  assert.equal(
    fileFor({ architecture: 16, mac: "52:54:00:00:01:10" }),
    "http://10.9.0.1:8069/boot/snponly.efi",
  );
});

test("boot: a server on 192.168.0.1 and 11.11.11.1 shows each side its own address", async (t) => {
  if (!canRun(t, "curl")) {
    return;
  }
  const left = [
    { host: "server", interfaceName: "eth0", address: "192.168.0.1/24" },
    { host: "left", interfaceName: "eth0", address: "192.168.0.50/24" },
  ];
  const right = [
    { host: "server", interfaceName: "eth1", address: "11.11.11.1/24" },
    { host: "right", interfaceName: "eth0", address: "11.11.11.50/24" },
  ];
  const site = await startBootSite(
    t,
    new NetworkHosts(t),
    { left, right },
    { interfaces: ["eth0", "eth1"], computers },
  );
  for (const [host, own, foreign] of [
    ["left", "192.168.0.1", "11.11.11.1"],
    ["right", "11.11.11.1", "192.168.0.1"],
  ] as const) {
    assert.throws(() =>
      site.hosts.run(host, "curl", ["-s", "-m", "2", `http://${foreign}:8069/boot/vmlinuz`]),
    );
    const [offer, ...more] = site.ask(host, [pxeRequest({ mac: macs.unknown })]);
    assert.equal(more.length, 0);
    assert.equal(offer?.from, `${own}:67`);
    assert.equal(offer.packet.serverAddress, own);
    assert.equal(serverIdentifier(offer.packet.options), own);
    assert.equal(tftpServerName(offer.packet.options), own);
    const [ipxe] = site.ask(host, [pxeRequest({ mac: macs.unknown, isIpxe: true })]);
    const script = site.hosts.run(host, "curl", ["-sf", ipxe?.packet.bootFile ?? ""]);
    assert.ok(script.includes(`portolan.server=${own} `), script);
    assert.ok(!script.includes(foreign), script);
  }
});

test("boot: with the store down firmware is answered as ever", async (t) => {
  if (!canRun(t, "curl")) {
    return;
  }
  const site = await startRoom(t, { isStoreDown: true });
  assert.equal(site.ask("pc", [pxeRequest({ mac: macs.busy })]).length, 1);
  const script = site.hosts.run("pc", "curl", [
    "-sf",
    `http://10.9.0.1:8069/boot/script.ipxe?mac=${macs.busy}`,
  ]);
  assert.match(script, /^kernel /m);
});

test("boot: garbage on 67 and 4011 is counted, never answered and never fatal", async (t) => {
  if (!canRun(t)) {
    return;
  }
  const site = await startRoom(t);
  const valid = Buffer.from(encodeDhcpPacket(pxeRequest({ mac: macs.busy })));
  const cut = Array.from({ length: 240 }, (_, size) => valid.subarray(0, size));
  const random = Array.from({ length: 300 }, (_, index) => randomBytes(1 + ((index * 37) % 1400)));
  const afterHeader = Array.from({ length: 100 }, () =>
    Buffer.concat([valid.subarray(0, 240), randomBytes(60)]),
  );
  const garbage = [...cut, ...random, ...afterHeader];
  // No more at once than the socket's buffer holds while the server is kept from reading.
  const atOnceCount = 80;
  let sentCount = 0;
  for (const port of [67, 4011]) {
    for (let begin = 0; begin < garbage.length; begin += atOnceCount) {
      const sends = garbage.slice(begin, begin + atOnceCount).map((bytes) => ({
        address: "10.9.0.1",
        port,
        hex: bytes.toString("hex"),
      }));
      assert.deepEqual(site.exchange("pc", { localPort: 68, waitMs: 100, sends }), [], `port ${port}`);
      sentCount += sends.length;
      await untilCounted(site, sentCount);
    }
  }
  assert.equal(site.ask("pc", [pxeRequest({ mac: macs.busy })]).length, 1);
  await untilCounted(site, sentCount + 1);
  const { malformed = 0, "not-pxe": notPxe = 0, ...others } = site.counters();
  assert.ok(malformed >= 2 * (240 + 300), `${malformed} malformed`);
  assert.equal(malformed + notPxe, 2 * (240 + 300 + 100), JSON.stringify(site.counters()));
  assert.deepEqual(others, { answered: 1 });
});

test("HTTP boot: curl reads files, parts and heads; nothing else exists", async (t) => {
  if (!canRun(t, "curl")) {
    return;
  }
  const site = await startRoom(t);
  const base = "http://10.9.0.1:8069";
  const curl = (...args: string[]): string => site.hosts.run("pc", "curl", ["-s", "-m", "60", ...args]);
  const status = (...args: string[]): string => curl("-o", "/dev/null", "-w", "%{http_code}", ...args);
  const folder = makeDataDir(t);
  const part = join(folder, "part");
  curl("-o", part, "-r", "1000000-1999999", `${base}/boot/preboot.squashfs`);
  assert.ok(readFileSync(part).equals(bootFileContent("preboot.squashfs").subarray(1_000_000, 2_000_000)));
  curl("-o", part, "-r", "-10", `${base}/boot/vmlinuz`);
  assert.ok(readFileSync(part).equals(bootFileContent("vmlinuz").subarray(-10)));
  assert.match(
    curl("-I", `${base}/boot/snponly.efi`),
    /content-type: application\/efi[^]*content-length: 170000/i,
  );
  assert.equal(status("-r", "400000-", `${base}/boot/vmlinuz`), "416");
  assert.equal(status(`${base}/boot/script.ipxe`), "400");
  assert.equal(status(`${base}/boot/script.ipxe?mac=hello`), "400");
  assert.equal(status("-X", "POST", "-d", "x", `${base}/boot/vmlinuz`), "405");
  for (const path of [
    "/",
    "/boot/",
    "/boot/manifest.json",
    "/boot/../boot/vmlinuz",
    "/boot/../../../../etc/passwd",
    "/boot/..%2f..%2fetc%2fpasswd",
    "/boot/%2e%2e/%2e%2e/etc/passwd",
    "/boot//etc/passwd",
    "/boot/vmlinuz/../../../etc/passwd",
    "/boot/vmlinuz%00",
  ]) {
    assert.equal(status("--path-as-is", `${base}${path}`), "404", path);
  }
  assert.throws(
    () => status("-H", `x-long: ${"a".repeat(9000)}`, `${base}/boot/vmlinuz`),
    "a header over 8 KiB",
  );
  assert.equal(status(`${base}/boot/vmlinuz`), "200");
  assert.match(
    curl(`${base}/boot/script.ipxe?mac=${macs.idle}`),
    /^#!ipxe\necho Portolan: known-without-work\nexit 0\n$/,
  );
  assert.match(curl(`${base}/grub/grub.cfg-01-${macs.busy.replaceAll(":", "-")}`), /linux \/boot\/vmlinuz /);
});

test("boot files: one that does not match its manifest is not served, and computers that need it hear nothing", async (t) => {
  if (!canRun(t, "curl")) {
    return;
  }
  const hosts = new NetworkHosts(t);
  hosts.segment("room", [
    { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
    { host: "pc", interfaceName: "eth0", address: "10.9.0.2/24" },
  ]);
  hosts.run("pc", "ip", ["route", "add", "255.255.255.255", "dev", "eth0"]);
  const dataDir = makeDataDir(t);
  writeFileSync(join(dataDir, "boot", "vmlinuz"), "not the kernel of the manifest");
  const site = await startBootServer(hosts, { interfaces: ["eth0"], computers, dataDir });
  assert.match(site.server.output(), /vmlinuz is not the file of the manifest; run: portolan boot build/);
  assert.deepEqual(site.ask("pc", [pxeRequest({ mac: macs.busy })], { answerCount: 0 }), []);
  await untilCounted(site, 1);
  assert.deepEqual(site.counters(), { "no-boot-files": 1 });
});
