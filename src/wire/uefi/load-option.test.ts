import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../bytes/wire-error.ts";
import { encodeGuid } from "../partition/guid.ts";
import { decodeLoadOption, isFirmwareOption, isNetworkOption } from "./load-option.ts";

function option(description: string, nodes: readonly (readonly [number, number, number])[]): Uint8Array {
  const path = Buffer.concat([
    ...nodes.map(([type, subtype, sizeBytes]) => {
      const node = Buffer.alloc(sizeBytes);
      node.writeUInt8(type, 0);
      node.writeUInt8(subtype, 1);
      node.writeUInt16LE(sizeBytes, 2);
      return node;
    }),
    Buffer.from([0x7f, 0xff, 4, 0]),
  ]);
  const head = Buffer.alloc(6);
  head.writeUInt32LE(1, 0);
  head.writeUInt16LE(path.byteLength, 4);
  return Buffer.concat([head, Buffer.from(`${description}\0`, "utf16le"), path]);
}

const acpiRoot = [2, 1, 12] as const;
const pciDevice = [1, 1, 6] as const;

test("UEFI load option: network, disk and firmware entries are told apart by their device paths", () => {
  const network = decodeLoadOption(option("UEFI PXEv4", [acpiRoot, pciDevice, [3, 11, 37], [3, 12, 27]]));
  const disk = decodeLoadOption(option("UEFI Misc Device", [acpiRoot, pciDevice]));
  const setup = decodeLoadOption(
    option("UiApp", [
      [4, 7, 20],
      [4, 6, 20],
    ]),
  );
  assert.deepEqual([network, disk, setup].map(isNetworkOption), [true, false, false]);
  assert.deepEqual([network, disk, setup].map(isFirmwareOption), [false, false, true]);
  assert.equal(disk.description, "UEFI Misc Device");
  assert.equal(disk.isActive, true);
});

test("UEFI load option: every truncation is refused or ends at a whole node", () => {
  const bytes = option("UEFI Misc Device", [acpiRoot, pciDevice]);
  for (let length = 0; length < bytes.byteLength; length += 1) {
    try {
      decodeLoadOption(bytes.subarray(0, length));
    } catch (error) {
      assert.ok(error instanceof WireError, `length ${length}`);
    }
  }
  assert.throws(() => decodeLoadOption(bytes.subarray(0, 20)), WireError);
});

test("UEFI load option: one on a disk names its partition by GUID, and one by an MBR signature names none", () => {
  const bytes = Buffer.from(option("disk", [acpiRoot, [4, 1, 42], [4, 4, 10]]));
  const node = bytes.indexOf(Buffer.from([4, 1, 42, 0]));
  bytes.writeUInt32LE(1, node + 4);
  bytes.writeBigUInt64LE(2048n, node + 8);
  bytes.writeBigUInt64LE(65_536n, node + 16);
  const id = "01234567-89ab-cdef-0123-456789abcdef";
  bytes.set(encodeGuid(id), node + 24);
  bytes.set([2, 2], node + 40);
  const { partition } = decodeLoadOption(bytes);
  assert.deepEqual(partition, { number: 1, firstSector: 2048, sectorCount: 65_536, id });
  bytes.set([1, 1], node + 40);
  assert.equal(decodeLoadOption(bytes).partition, null);
});
