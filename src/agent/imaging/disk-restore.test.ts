import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { zstdCompressSync } from "node:zlib";
import type { Manifest } from "#engine/image/manifest.ts";
import { type Disk, openDisk } from "#platform/disk.ts";
import { DiskRestore } from "./disk-restore.ts";

const chunkSizeBytes = 1 << 20;
const image = Buffer.concat([randomBytes(chunkSizeBytes), Buffer.alloc(chunkSizeBytes), randomBytes(70_000)]);

function chunkOf(index: number): Buffer {
  return image.subarray(index * chunkSizeBytes, (index + 1) * chunkSizeBytes);
}

const manifest: Manifest = {
  version: 1,
  name: "image",
  sizeBytes: image.byteLength,
  chunkSizeBytes,
  hashAlgorithm: "sha256",
  chunks: [hash("sha256", chunkOf(0)), null, hash("sha256", chunkOf(2))],
};

/** A disk full of something else, larger than the image. */
async function openOldDisk(t: TestContext): Promise<{ readonly disk: Disk; readonly path: string }> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-restore-"));
  const path = join(folder, "disk");
  writeFileSync(path, Buffer.alloc(4 << 20, 0xee));
  const disk = await openDisk(path, "write");
  t.after(async () => {
    await disk.close();
    rmSync(folder, { recursive: true });
  });
  return { disk, path };
}

test("disk restore: until it is finished the disk holds neither partition table", async (t) => {
  const { disk, path } = await openOldDisk(t);
  const restore = new DiskRestore(disk, manifest);
  assert.equal(restore.isUnbootable, false, "it still starts what it held");
  await restore.begin();
  assert.equal(restore.isUnbootable, true);
  assert.ok(await restore.write(0, zstdCompressSync(chunkOf(0))));
  assert.ok(await restore.write(2, zstdCompressSync(chunkOf(2))));
  await restore.clear(() => undefined, new AbortController().signal);
  const found = readFileSync(path);
  assert.ok(found.subarray(0, chunkSizeBytes).every((byte) => byte === 0));
  assert.ok(found.subarray(-34 * 512).every((byte) => byte === 0));
  assert.ok(found.subarray(chunkSizeBytes, image.byteLength).equals(image.subarray(chunkSizeBytes)));
});

test("disk restore: a chunk that is not what the manifest says is not written", async (t) => {
  const { disk, path } = await openOldDisk(t);
  const restore = new DiskRestore(disk, manifest);
  await restore.begin();
  assert.equal(await restore.write(2, zstdCompressSync(randomBytes(70_000))), false);
  assert.equal(await restore.write(2, randomBytes(70_000)), false);
  assert.deepEqual(restore.missing(), [0, 2]);
  assert.equal(readFileSync(path)[2 * chunkSizeBytes], 0xee);
});

test("disk restore: a finished disk equals the image, a changed one is reported and stays unbootable", async (t) => {
  if (process.getuid?.() !== 0) {
    t.skip("needs root to read past the page cache");
    return;
  }
  const { disk, path } = await openOldDisk(t);
  const restore = new DiskRestore(disk, manifest);
  await restore.begin();
  await restore.write(0, zstdCompressSync(chunkOf(0)));
  await restore.write(2, zstdCompressSync(chunkOf(2)));
  await restore.clear(() => undefined, new AbortController().signal);
  await disk.write(2 * chunkSizeBytes + 5, Uint8Array.of((image[2 * chunkSizeBytes + 5] ?? 0) ^ 1));
  assert.match((await restore.verify(() => undefined)) ?? "", /chunk 2 reads back differently/);
  assert.ok(
    readFileSync(path)
      .subarray(0, 512)
      .every((byte) => byte === 0),
  );
  await disk.write(2 * chunkSizeBytes, chunkOf(2));
  assert.equal(await restore.verify(() => undefined), null);
  assert.equal(restore.isUnbootable, true);
  assert.equal(await restore.complete((first) => ({ first, backup: null })), null);
  assert.equal(restore.isUnbootable, false);
  assert.ok(readFileSync(path).subarray(0, image.byteLength).equals(image));
});

test("disk restore: what a disk holds already is not asked for, and the end is right all the same", async (t) => {
  if (process.getuid?.() !== 0) {
    t.skip("needs root to read past the page cache");
    return;
  }
  const { disk, path } = await openOldDisk(t);
  await disk.write(0, image);
  await disk.write(2 * chunkSizeBytes, Uint8Array.of(1, 2, 3));
  const restore = new DiskRestore(disk, manifest);
  assert.equal(await restore.compare(() => undefined, new AbortController().signal), "compared");
  assert.deepEqual(restore.missing(), [2]);
  await restore.begin();
  assert.ok(
    readFileSync(path)
      .subarray(0, 512)
      .every((byte) => byte === 0),
  );
  await restore.write(2, zstdCompressSync(chunkOf(2)));
  await restore.clear(() => undefined, new AbortController().signal);
  assert.equal(await restore.verify(() => undefined), null);
  assert.equal(await restore.complete((first) => ({ first, backup: null })), null);
  assert.ok(readFileSync(path).subarray(0, image.byteLength).equals(image));
});

test("disk restore: a disk that holds something else is not read to its end", async (t) => {
  if (process.getuid?.() !== 0) {
    t.skip("needs root to read past the page cache");
    return;
  }
  const { disk } = await openOldDisk(t);
  const restore = new DiskRestore(disk, manifest);
  assert.equal(await restore.compare(() => undefined, new AbortController().signal), "not-worth-it");
  assert.deepEqual(restore.missing(), [0, 2]);
});
