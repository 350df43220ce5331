import assert from "node:assert/strict";
import { test } from "node:test";
import { classicSettings } from "#plan/settings.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { decideBoot, type BootFacts, type BootRequest, type BootSilence } from "./decide-boot.ts";
import type { ComputerMatch, KnownComputer } from "./identify-computer.ts";

const mac = MacAddress.parse("52:54:00:00:00:0a");
const server = Ipv4Address.parse("192.168.0.1");
const other = Ipv4Address.parse("192.168.0.254");
const relay = Ipv4Address.parse("10.2.0.1");

const discover: BootRequest = {
  message: "discover",
  port: 67,
  transactionId: 1,
  firmware: { type: "bios-pxe" },
  identity: { mac, uuid: null },
  selectedServer: null,
  relayAddress: null,
};

const facts: BootFacts = {
  computer: { type: "unknown" },
  settings: classicSettings,
  serverAddress: server,
  relays: [],
  bootFiles: new Set([
    "undionly.kpxe",
    "snponly.efi",
    "shimx64.efi",
    "grubx64.efi",
    "vmlinuz",
    "initrd.img",
    "preboot.squashfs",
  ]),
  previousAttempt: null,
};

function known(given: Partial<KnownComputer>): ComputerMatch {
  const computer: KnownComputer = {
    id: "c1",
    name: "pc1",
    macs: [mac],
    uuid: null,
    state: "approved",
    work: "none",
    isConnected: false,
    ...given,
  };
  return { type: "known", computer, matchedBy: "mac" };
}

function without(name: string): BootFacts["bootFiles"] {
  return new Set([...facts.bootFiles].filter((file) => file !== name));
}

const held: ComputerMatch = { type: "conflict", conflict: "duplicate-uuid", computers: [] };
const local = { ...classicSettings, "initialDeployment.action": "local" } as const;

const silences: readonly [BootSilence, string, Partial<BootRequest>, Partial<BootFacts>][] = [
  ["not-pxe", "an ordinary DHCP client", { firmware: { type: "not-pxe" } }, {}],
  ["no-architecture", "a ROM that does not say what it is", { firmware: { type: "no-architecture" } }, {}],
  [
    "unsupported-architecture",
    "ARM firmware",
    { firmware: { type: "unsupported-architecture", architecture: 11 } },
    {},
  ],
  ["not-ethernet", "a packet without an Ethernet address", { identity: null }, {}],
  ["boot-off", "boot switched off", {}, { settings: { ...classicSettings, "boot.mode": "off" } }],
  ["relay-not-listed", "a relay nobody named", { relayAddress: relay }, {}],
  ["lease-request", "a REQUEST for a lease", { message: "request" }, {}],
  [
    "lease-request",
    "a REQUEST through a relay where we lease addresses on our own segments",
    { message: "request", relayAddress: relay },
    { settings: { ...classicSettings, "boot.mode": "dhcp" }, relays: [relay] },
  ],
  [
    "other-server-selected",
    "a REQUEST to the DHCP server",
    { message: "request", selectedServer: other },
    {},
  ],
  [
    "lease-request",
    "a REQUEST to a DHCP server on our address",
    { message: "request", selectedServer: server },
    {},
  ],
  ["not-a-boot-message", "a RELEASE", { message: "other" }, {}],
  ["not-a-boot-message", "a DISCOVER on 4011", { port: 4011 }, {}],
  [
    "other-server-selected",
    "a boot server request meant for somebody else",
    { port: 4011, message: "request", selectedServer: other },
    {},
  ],
  ["known-without-work", "a known computer without work", {}, { computer: known({}) }],
  ["conflict", "an identity in conflict", {}, { computer: held }],
  ["initial-deployment-local", "an unknown computer when Initial Deployment is off", {}, { settings: local }],
  [
    "initial-deployment-local",
    "a pending computer when Initial Deployment is off",
    {},
    { settings: local, computer: known({ state: "pending" }) },
  ],
  [
    "secure-http-boot-not-supported",
    "HTTP firmware that needs the shim",
    { firmware: { type: "uefi-x64-http" } },
    { settings: { ...classicSettings, "boot.uefiLoader": "shim" } },
  ],
  ["no-boot-files", "a missing kernel", {}, { bootFiles: without("vmlinuz") }],
  ["no-boot-files", "a missing loader", {}, { bootFiles: without("undionly.kpxe") }],
];

for (const [reason, what, request, change] of silences) {
  test(`boot decision: silent (${reason}) for ${what}`, () => {
    const decision = decideBoot({ ...discover, ...request }, { ...facts, ...change }, 0);
    assert.deepEqual(decision, { type: "ignore", reason });
  });
}

function programFor(request: Partial<BootRequest>, change: Partial<BootFacts> = {}): unknown {
  const decision = decideBoot({ ...discover, ...request }, { ...facts, ...change }, 0);
  return decision.type === "offer" ? decision.program : decision;
}

test("boot decision: an unknown computer gets the preboot system for Initial Deployment", () => {
  const decision = decideBoot(discover, facts, 0);
  assert.equal(decision.type === "offer" && decision.because, "initial-deployment");
});

test("boot decision: a pending computer keeps waiting in the preboot system", () => {
  const decision = decideBoot(discover, { ...facts, computer: known({ state: "pending" }) }, 0);
  assert.equal(decision.type === "offer" && decision.because, "initial-deployment");
});

test("boot decision: a known computer with work gets it, also behind a relay that is listed", () => {
  const computer = known({ work: "preboot" });
  for (const relayAddress of [null, relay]) {
    const decision = decideBoot({ ...discover, relayAddress }, { ...facts, computer, relays: [relay] }, 0);
    assert.equal(decision.type === "offer" && decision.because, "work");
  }
});

test("boot decision: a computer approved while it was off gets the preboot system, unless new ones boot from their disk", () => {
  const computer = known({ work: "initial-deployment" });
  const decision = decideBoot(discover, { ...facts, computer }, 0);
  assert.equal(decision.type === "offer" && decision.because, "initial-deployment");
  const settings = { ...facts.settings, "initialDeployment.action": "local" } as const;
  assert.deepEqual(decideBoot(discover, { ...facts, computer, settings }, 0), {
    type: "ignore",
    reason: "initial-deployment-local",
  });
});

test("boot decision: BIOS firmware gets iPXE by TFTP", () => {
  assert.deepEqual(programFor({}), {
    type: "tftp-file",
    loader: "ipxe-bios",
    fileName: "undionly.kpxe",
  });
});

test("boot decision: UEFI firmware gets a file name and HTTP firmware a URL, never the other way round", () => {
  assert.deepEqual(programFor({ firmware: { type: "uefi-x64-pxe" } }), {
    type: "tftp-file",
    loader: "ipxe",
    fileName: "snponly.efi",
  });
  assert.deepEqual(programFor({ firmware: { type: "uefi-x64-http" } }), {
    type: "http-file",
    loader: "ipxe",
    url: "http://192.168.0.1:8069/boot/snponly.efi",
  });
});

test("boot decision: iPXE gets its script with its own MAC, and no loader again", () => {
  const firmware = { type: "ipxe", platform: "bios", hasHttp: true } as const;
  assert.deepEqual(programFor({ firmware }, { bootFiles: without("undionly.kpxe") }), {
    type: "ipxe-script",
    loader: "script",
    url: "http://192.168.0.1:8069/boot/script.ipxe?mac=52:54:00:00:00:0a",
  });
});

test("boot decision: iPXE without HTTP gets our iPXE by TFTP first", () => {
  assert.deepEqual(programFor({ firmware: { type: "ipxe", platform: "uefi-x64", hasHttp: false } }), {
    type: "tftp-file",
    loader: "ipxe",
    fileName: "snponly.efi",
  });
});

test("boot decision: the shim is offered only when GRUB is there as well", () => {
  const settings = { ...classicSettings, "boot.uefiLoader": "shim" } as const;
  const firmware = { type: "uefi-x64-pxe" } as const;
  assert.deepEqual(programFor({ firmware }, { settings }), {
    type: "tftp-file",
    loader: "shim",
    fileName: "shimx64.efi",
  });
  assert.deepEqual(programFor({ firmware }, { settings, bootFiles: without("grubx64.efi") }), {
    type: "ignore",
    reason: "no-boot-files",
  });
});

test("boot decision: a boot server request on 4011 is answered like the offer before it", () => {
  for (const message of ["request", "inform"] as const) {
    assert.deepEqual(programFor({ port: 4011, message, selectedServer: server }), programFor({}));
  }
});

test("boot decision: with our own leases the REQUEST for a lease is answered with the boot program, as the offer was", () => {
  const settings = { ...classicSettings, "boot.mode": "dhcp" } as const;
  for (const message of ["discover", "request"] as const) {
    const decision = decideBoot({ ...discover, message, selectedServer: null }, { ...facts, settings }, 0);
    assert.equal(decision.type, "offer", message);
  }
  const elsewhere = decideBoot(
    { ...discover, message: "request", selectedServer: other },
    { ...facts, settings },
    0,
  );
  assert.deepEqual(elsewhere.type === "ignore" && elsewhere.reason, "other-server-selected");
});
