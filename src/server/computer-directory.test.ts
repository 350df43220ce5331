import assert from "node:assert/strict";
import { test } from "node:test";
import { ComputerUuid } from "#engine/boot/computer-uuid.ts";
import type { KnownComputer } from "#engine/boot/identify-computer.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { createComputerDirectory } from "./computer-directory.ts";

const macA = MacAddress.parse("52:54:00:00:00:0a");
const macB = MacAddress.parse("52:54:00:00:00:0b");
const uuid = ComputerUuid.parse("4c4c4544-0031-3510-8048-b7c04f333032");
const swapped = ComputerUuid.parse("44454c4c-3100-1035-8048-b7c04f333032");

const a: KnownComputer = {
  id: "a",
  name: "a",
  macs: [macA],
  uuid,
  state: "approved",
  work: "preboot",
  isConnected: false,
};

test("computer directory: finds by MAC, and by UUID in either byte order", () => {
  const directory = createComputerDirectory();
  directory.put(a);
  for (const identity of [
    { mac: macA, uuid: null },
    { mac: macB, uuid },
    { mac: macB, uuid: swapped },
    { mac: macA, uuid: swapped },
  ]) {
    const match = directory.find(identity);
    assert.equal(match.type === "known" && match.computer.id, "a", JSON.stringify(identity));
  }
});

test("computer directory: a replaced or removed computer leaves nothing behind", () => {
  const directory = createComputerDirectory();
  directory.put(a);
  directory.put({ ...a, macs: [macB], uuid: null });
  assert.equal(directory.find({ mac: macA, uuid }).type, "unknown");
  assert.equal(directory.find({ mac: macB, uuid: null }).type, "known");
  directory.remove("a");
  assert.equal(directory.find({ mac: macB, uuid: null }).type, "unknown");
  assert.equal(directory.count, 0);
});

test("computer directory: a second record with the UUID makes both a conflict that names them", () => {
  const directory = createComputerDirectory();
  directory.replaceAll([a, { ...a, id: "b", macs: [macB] }]);
  const match = directory.find({ mac: macA, uuid });
  assert.equal(match.type === "conflict" && match.conflict, "duplicate-uuid");
  assert.deepEqual(match.type === "conflict" && match.computers.map(({ id }) => id).sort(), ["a", "b"]);
});
