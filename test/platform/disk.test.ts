import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { alignedMemory } from "#platform/aligned-memory.ts";
import { type Disk, openDisk } from "#platform/disk.ts";
import { attachLoop } from "#platform/loop-device.ts";
import { networkTestObstacle } from "../network-hosts.ts";

const skip = networkTestObstacle("losetup") ?? false;
const mib = 1 << 20;

/** Sectors of 512 bytes that the device itself has read so far: sysfs(5), block/<disk>/stat, third field. */
function sectorsRead(path: string): number {
  const fields = readFileSync(`/sys/block/${basename(path)}/stat`, "utf8")
    .trim()
    .split(/\s+/);
  return Number(fields[2]);
}

test(
  "disk: whole blocks go past the cache, odd pieces do not, and both see each other",
  { skip },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "portolan-disk-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "disk.raw");
    const content = randomBytes(8 * mib);
    writeFileSync(file, content);
    const device = await attachLoop(file, {
      startBytes: 0,
      sizeBytes: content.byteLength,
      isReadOnly: false,
    });
    t.after(() => device.detach());
    const disk: Disk = await openDisk(device.path, "write");
    t.after(() => disk.close());

    const memory = alignedMemory(mib);
    for (const what of ["first", "again"]) {
      const before = sectorsRead(device.path);
      assert.ok(content.subarray(mib, 2 * mib).equals(await disk.read(mib, mib, memory)), what);
      assert.equal(sectorsRead(device.path) - before, mib / 512, `${what} from the medium`);
    }

    const change = (offset: number, sizeBytes: number): Promise<void> => {
      const bytes = randomBytes(sizeBytes);
      content.set(bytes, offset);
      return disk.write(offset, bytes);
    };
    // Each is seen by the other way of reading: the odd piece is cached and unwritten when its block is read directly.
    await change(3 * mib + 100, 5000);
    assert.ok(content.subarray(3 * mib, 4 * mib).equals(await disk.read(3 * mib, mib)));
    await change(3 * mib, mib);
    assert.ok(content.subarray(3 * mib + 100, 3 * mib + 5100).equals(await disk.read(3 * mib + 100, 5000)));
    // From memory that is not aligned, several at a time, and up to the last byte.
    await Promise.all([4, 5, 6, 7].map((place) => change(place * mib, mib)));
    await change(content.byteLength - 34 * 512, 34 * 512);
    await disk.flush();
    assert.ok(content.equals(readFileSync(file)));
  },
);
