import assert from "node:assert/strict";
import { test } from "node:test";
import type { DiskInventory } from "#wire/control/inventory.ts";
import { chooseDisk } from "./choose-disk.ts";

function disk(name: string, facts: Partial<DiskInventory> = {}): DiskInventory {
  return {
    name,
    sizeBytes: 100e9,
    model: "M",
    serial: name,
    wwn: null,
    byPath: null,
    isRemovable: false,
    ...facts,
  };
}

test("disk choice: the only disk is taken, removable ones do not count", () => {
  const choice = chooseDisk("only-disk", [disk("sda"), disk("sdb", { isRemovable: true })], 50e9);
  assert.equal(choice.type === "chosen" && choice.disk.name, "sda");
});

test("disk choice: two disks and no better rule is a refusal that lists both", () => {
  const choice = chooseDisk("only-disk", [disk("sda"), disk("sdb")], 50e9);
  assert.ok(choice.type === "refused" && choice.reason.includes("sda") && choice.reason.includes("sdb"));
});

test("disk choice: serial decides whatever the order, a missing one is a refusal", () => {
  const disks = [disk("sda", { serial: "A" }), disk("sdb", { serial: "B" })];
  const choice = chooseDisk({ serial: "B" }, disks.toReversed(), 50e9);
  assert.equal(choice.type === "chosen" && choice.disk.name, "sdb");
  assert.equal(chooseDisk({ serial: "C" }, disks, 50e9).type, "refused");
  assert.equal(chooseDisk({ kernelName: "sda" }, disks, 50e9).type, "refused");
});

test("disk choice: a disk smaller than the image is refused before anything is written", () => {
  const choice = chooseDisk("only-disk", [disk("sda", { sizeBytes: 10e9 })], 50e9);
  assert.ok(choice.type === "refused" && choice.reason.includes("smaller"));
});
