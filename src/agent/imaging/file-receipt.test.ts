import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { zstdCompressSync } from "node:zlib";
import type { Manifest } from "#engine/image/manifest.ts";
import { FileReceipt } from "./file-receipt.ts";

const pieces = [Buffer.alloc(4096, 1), Buffer.alloc(4096, 0), Buffer.alloc(4096, 3), Buffer.alloc(100, 4)];
const manifest: Manifest = {
  version: 1,
  name: "file",
  sizeBytes: 3 * 4096 + 100,
  chunkSizeBytes: 4096,
  hashAlgorithm: "sha256",
  chunks: pieces.map((piece, index) => (index === 1 ? null : hash("sha256", piece))),
};
const frames = pieces.map((piece) => zstdCompressSync(piece));

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-receipt-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("a file is received in any order, and is the file", async (t) => {
  const path = join(makeFolder(t), "a/b/file");
  const receipt = await FileReceipt.open(path, manifest);
  assert.deepEqual(receipt.missing(), [0, 2, 3]);
  for (const index of [3, 0, 2]) {
    assert.equal(await receipt.write(index, frames[index] ?? Buffer.alloc(0)), true);
  }
  await receipt.close();
  assert.deepEqual(readFileSync(path), Buffer.concat(pieces));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a file that was begun is gone on with; what was damaged meanwhile is fetched again", async (t) => {
  const path = join(makeFolder(t), "file");
  const first = await FileReceipt.open(path, manifest);
  await first.write(0, frames[0] ?? Buffer.alloc(0));
  await first.write(2, frames[2] ?? Buffer.alloc(0));
  await first.close();
  const second = await FileReceipt.open(path, manifest);
  assert.deepEqual(second.missing(), [3]);
  assert.equal(second.doneBytes, 3 * 4096);
  await second.close();
  const damaged = readFileSync(path);
  damaged[5] = 99;
  damaged[5000] = 99;
  writeFileSync(path, Buffer.concat([damaged, Buffer.alloc(1000, 7)]));
  const third = await FileReceipt.open(path, manifest);
  assert.deepEqual(third.missing(), [0, 3]);
  await third.write(0, frames[0] ?? Buffer.alloc(0));
  await third.write(3, frames[3] ?? Buffer.alloc(0));
  await third.close();
  assert.deepEqual(readFileSync(path), Buffer.concat(pieces));
});

test("a chunk that is not what the manifest says is refused, and a link is not followed", async (t) => {
  const folder = makeFolder(t);
  const receipt = await FileReceipt.open(join(folder, "file"), manifest);
  assert.equal(await receipt.write(0, frames[2] ?? Buffer.alloc(0)), false);
  assert.equal(await receipt.write(0, Buffer.from("no frame")), false);
  assert.equal(await receipt.write(1, frames[1] ?? Buffer.alloc(0)), false, "nobody sends zeros");
  assert.deepEqual(receipt.missing(), [0, 2, 3]);
  await receipt.close();
  writeFileSync(join(folder, "victim"), "precious");
  symlinkSync(join(folder, "victim"), join(folder, "link"));
  await assert.rejects(FileReceipt.open(join(folder, "link"), manifest), /ELOOP/);
  assert.equal(readFileSync(join(folder, "victim"), "utf8"), "precious");
});
