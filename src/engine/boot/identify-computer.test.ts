import assert from "node:assert/strict";
import { test } from "node:test";
import { MacAddress } from "#wire/address/mac-address.ts";
import { ComputerUuid } from "./computer-uuid.ts";
import { identifyComputer, matchComputer, type KnownComputer } from "./identify-computer.ts";

const macA = MacAddress.parse("52:54:00:00:00:0a");
const macB = MacAddress.parse("52:54:00:00:00:0b");
const uuidA = ComputerUuid.parse("4c4c4544-0031-3510-8048-b7c04f333032");
const uuidB = ComputerUuid.parse("4c4c4544-0031-3510-8048-b7c04f333099");

function computer(id: string, given: Partial<KnownComputer> = {}): KnownComputer {
  return {
    id,
    name: id,
    macs: [macA],
    uuid: uuidA,
    state: "approved",
    work: "none",
    isConnected: false,
    ...given,
  };
}

const none = { clientUuid: null, clientIdentifier: null };
const smbiosBytes = Uint8Array.from([
  0, 0x44, 0x45, 0x4c, 0x4c, 0x31, 0, 0x10, 0x35, 0x80, 0x48, 0xb7, 0xc0, 0x4f, 0x33, 0x30, 0x32,
]);

test("identity: the MAC comes from chaddr", () => {
  const found = identifyComputer({ hardwareType: 1, hardwareAddress: MacAddress.toBytes(macA), ...none });
  assert.deepEqual(found, { mac: macA, uuid: null });
});

test("identity: option 97 is read in SMBIOS byte order, as the operating system prints it", () => {
  const found = identifyComputer({
    hardwareType: 1,
    hardwareAddress: MacAddress.toBytes(macA),
    clientUuid: smbiosBytes,
    clientIdentifier: null,
  });
  assert.equal(found?.uuid, uuidA);
});

test("identity: option 61 gives the UUID when option 97 is missing, and the MAC when chaddr is not Ethernet", () => {
  const fromUuid = identifyComputer({
    hardwareType: 1,
    hardwareAddress: MacAddress.toBytes(macA),
    clientUuid: null,
    clientIdentifier: smbiosBytes,
  });
  assert.equal(fromUuid?.uuid, uuidA);
  const fromMac = identifyComputer({
    hardwareType: 32,
    hardwareAddress: new Uint8Array(0),
    clientUuid: null,
    clientIdentifier: Uint8Array.from([1, ...MacAddress.toBytes(macB)]),
  });
  assert.equal(fromMac?.mac, macB);
});

test("identity: zero and group addresses identify nobody", () => {
  for (const bytes of [new Uint8Array(6), Uint8Array.from([1, 0, 0x5e, 0, 0, 1]), new Uint8Array(0)]) {
    assert.equal(identifyComputer({ hardwareType: 1, hardwareAddress: bytes, ...none }), null);
  }
});

test("identity: UUIDs that boards are shipped with are no UUIDs", () => {
  for (const text of [
    "00000000-0000-0000-0000-000000000000",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "03000200-0400-0500-0006-000700080009",
    "00020003-0004-0005-0006-000700080009",
    "not a uuid",
  ]) {
    assert.equal(ComputerUuid.parse(text), null, text);
  }
});

test("identity: the twin of the twin is the UUID itself", () => {
  assert.ok(uuidA);
  assert.equal(ComputerUuid.twin(uuidA), "44454c4c-3100-1035-8048-b7c04f333032");
  assert.equal(ComputerUuid.twin(ComputerUuid.twin(uuidA)), uuidA);
});

test("match: nobody by MAC or UUID is unknown", () => {
  assert.deepEqual(matchComputer({ mac: macA, uuid: uuidA }, { byMac: [], byUuid: [] }), { type: "unknown" });
});

test("match: a MAC finds its computer, with or without the UUID", () => {
  const a = computer("a");
  for (const [uuid, byUuid] of [
    [uuidA, [a]],
    [null, []],
  ] as const) {
    const match = matchComputer({ mac: macA, uuid }, { byMac: [a], byUuid });
    assert.deepEqual(match, { type: "known", computer: a, matchedBy: "mac" });
  }
});

test("match: a new network card with a known UUID is the same computer, docked", () => {
  const a = computer("a");
  const match = matchComputer({ mac: macB, uuid: uuidA }, { byMac: [], byUuid: [a] });
  assert.deepEqual(match, { type: "known", computer: a, matchedBy: "uuid" });
});

test("match: a new network card with the UUID of a connected computer is a second computer", () => {
  const a = computer("a", { isConnected: true });
  const match = matchComputer({ mac: macB, uuid: uuidA }, { byMac: [], byUuid: [a] });
  assert.deepEqual(match, { type: "conflict", conflict: "duplicate-uuid", computers: [a] });
});

test("match: two records with one UUID are held and both named", () => {
  const a = computer("a");
  const b = computer("b", { macs: [macB] });
  const match = matchComputer({ mac: macB, uuid: uuidA }, { byMac: [b], byUuid: [a, b] });
  assert.equal(match.type, "conflict");
  assert.deepEqual(match.type === "conflict" && match.computers.map(({ id }) => id).sort(), ["a", "b"]);
});

test("match: MAC of one computer with UUID of another names both", () => {
  const a = computer("a");
  const b = computer("b", { macs: [macB], uuid: uuidB });
  const match = matchComputer({ mac: macA, uuid: uuidB }, { byMac: [a], byUuid: [b] });
  assert.deepEqual(match, { type: "conflict", conflict: "mac-and-uuid-disagree", computers: [a, b] });
});

test("match: a known MAC on an unknown board is held", () => {
  const a = computer("a");
  const match = matchComputer({ mac: macA, uuid: uuidB }, { byMac: [a], byUuid: [] });
  assert.deepEqual(match, { type: "conflict", conflict: "uuid-changed", computers: [a] });
});

test("match: a record that was put on hold stays on hold", () => {
  const a = computer("a", { state: "conflict" });
  const match = matchComputer({ mac: macA, uuid: uuidA }, { byMac: [a], byUuid: [a] });
  assert.deepEqual(match, { type: "conflict", conflict: "held", computers: [a] });
});

test("match: two records with one MAC are held", () => {
  const a = computer("a", { uuid: null });
  const b = computer("b", { uuid: null });
  const match = matchComputer({ mac: macA, uuid: null }, { byMac: [a, b], byUuid: [] });
  assert.deepEqual(match, { type: "conflict", conflict: "duplicate-mac", computers: [a, b] });
});
