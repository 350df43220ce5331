import assert from "node:assert/strict";
import { test } from "node:test";
import type { Inventory } from "#wire/control/inventory.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { describeInventoryChange } from "./inventory-change.ts";

const gib = 1024 ** 3;
const disk = {
  name: "vda",
  sizeBytes: 100 * gib,
  model: "Plain",
  serial: "S1",
  wwn: null,
  byPath: null,
  isRemovable: false,
};
const known: Inventory = {
  macs: [MacAddress.parse("02:00:00:00:00:01")],
  uuid: null,
  serial: "A",
  hostName: "pc",
  product: "Box 1",
  firmware: "uefi",
  isSecureBoot: true,
  processor: "Chip",
  processorCount: 4,
  memoryBytes: 8 * gib,
  operatingSystem: "Debian 12",
  addresses: [],
  disks: [disk],
  cards: [],
};

test("inventory change: another kernel's names and shares are none", () => {
  const other = { ...known, hostName: "other", memoryBytes: 7.8 * gib, disks: [{ ...disk, name: "sda" }] };
  assert.deepEqual(describeInventoryChange(known, other), []);
  assert.deepEqual(describeInventoryChange(known, { ...known, operatingSystem: null }), []);
});

test("inventory change: each part is named with what it was", () => {
  const changed: Inventory = {
    ...known,
    memoryBytes: 4 * gib,
    isSecureBoot: false,
    disks: [{ ...disk, serial: "S2" }, disk, disk],
    macs: [MacAddress.parse("02:00:00:00:00:02")],
  };
  assert.deepEqual(describeInventoryChange(known, changed), [
    "Secure Boot: off, was on",
    "memory: 4.0 GiB, was 8.0 GiB",
    "disk added: Plain 100.0 GiB S2",
    "disk added: Plain 100.0 GiB S1",
    "network card added: 02:00:00:00:00:02",
    "network card gone: 02:00:00:00:00:01",
  ]);
});

test("inventory change: a hundred new disks are not a hundred sentences", () => {
  const disks = Array.from({ length: 100 }, (_, index) => ({ ...disk, serial: `N${index}` }));
  assert.equal(describeInventoryChange(known, { ...known, disks }).length, 16);
});

test("inventory change: a card plugged in elsewhere is one, a switch that has not spoken yet is none", () => {
  const [mac = MacAddress.parse("02:00:00:00:00:01")] = known.macs;
  const at = (systemName: string | null, portId: string): Inventory => ({
    ...known,
    cards: [
      {
        ...{ name: "eth0", mac, address: null, prefixLength: 0, isWired: true, isUp: true, speedMbps: 1000 },
        driver: null,
        neighbour: { systemName, chassisId: "sw", portId, portDescription: null, vlanId: null },
      },
    ],
  });
  assert.deepEqual(describeInventoryChange(at("core", "7"), at("core", "9")), [
    "eth0 is plugged into core port 9, was core port 7",
  ]);
  assert.deepEqual(describeInventoryChange(at("core", "7"), at("core", "7")), []);
  assert.deepEqual(describeInventoryChange(known, at(null, "7")), []);
  assert.deepEqual(describeInventoryChange(at("core", "7"), known), []);
});
