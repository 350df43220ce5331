import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { crc32 as zlibCrc32 } from "node:zlib";
import { crc32 } from "../bytes/crc32.ts";
import { WireError } from "../bytes/wire-error.ts";
import { decodeGptEntries, decodeGptHeader } from "./gpt.ts";
import { decodeGuid, encodeGuid } from "./guid.ts";
import { decodeMbr } from "./mbr.ts";

/** A disk with the table that sfdisk writes, or `null` where sfdisk is missing. */
function makeTable(t: TestContext, script: string): Buffer | null {
  const folder = mkdtempSync(join(tmpdir(), "portolan-table-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "disk");
  writeFileSync(path, "");
  truncateSync(path, 64 << 20);
  const outcome = spawnSync("/sbin/sfdisk", ["-q", path], { input: script });
  if (outcome.error !== undefined) {
    t.skip("needs sfdisk");
    return null;
  }
  return readFileSync(path);
}

test("GPT: what sfdisk has written is read, and every damaged byte of it is noticed", (t) => {
  const disk = makeTable(
    t,
    "label: gpt\nlabel-id: 11111111-2222-3333-4444-555555555555\nstart=2048, size=4096, type=U, name=system\n",
  );
  if (disk === null) {
    return;
  }
  const sector = disk.subarray(512, 1024);
  const header = decodeGptHeader(sector, 512);
  const gpt = decodeGptEntries(header, disk.subarray(1024, 1024 + 128 * 128));
  assert.equal(gpt.diskId, "11111111-2222-3333-4444-555555555555");
  assert.equal(gpt.otherSector, (64 << 20) / 512 - 1);
  const [entry, ...others] = gpt.entries;
  assert.deepEqual(others, []);
  assert.deepEqual([entry?.name, entry?.firstSector, entry?.lastSector], ["system", 2048, 6143]);
  assert.equal(entry?.typeId, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
  for (let offset = 0; offset < 92; offset += 1) {
    const damaged = Uint8Array.from(sector);
    damaged[offset] = (damaged[offset] ?? 0) ^ 1;
    assert.throws(() => decodeGptHeader(damaged, 512), WireError, `byte ${offset}`);
  }
  assert.throws(() => decodeGptEntries(header, disk.subarray(1024, 1024 + 128)), WireError);
});

test("MBR: primary partitions that sfdisk has written are read", (t) => {
  const disk = makeTable(t, "label: dos\nstart=2048, size=4096, type=83\nstart=8192, size=2048, type=7\n");
  if (disk === null) {
    return;
  }
  assert.deepEqual(decodeMbr(disk.subarray(0, 512)), [
    { number: 1, typeByte: 0x83, firstSector: 2048, sectorCount: 4096 },
    { number: 2, typeByte: 0x07, firstSector: 8192, sectorCount: 2048 },
  ]);
  assert.throws(() => decodeMbr(new Uint8Array(512)), WireError);
  assert.throws(() => decodeMbr(new Uint8Array(100)), WireError);
});

test("CRC-32 equals zlib's, a GUID keeps its text", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => (index * 7919) & 255);
  assert.equal(crc32(bytes), zlibCrc32(bytes));
  const guid = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
  assert.equal(decodeGuid(encodeGuid(guid), 0), guid);
});
