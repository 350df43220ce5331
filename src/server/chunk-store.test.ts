import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { zstdDecompressSync } from "node:zlib";
import { ChunkError, ChunkStore } from "./chunk-store.ts";
import { importRawDisk } from "./image-import.ts";

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-chunks-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("chunk store: a chunk is kept once, reads back, and leaves no temporary file", async (t) => {
  const folder = makeFolder(t);
  const store = new ChunkStore(folder);
  const content = randomBytes(100_000);
  const first = await store.put(content);
  const again = await store.put(content);
  assert.deepEqual([first.isNew, again.isNew], [true, false]);
  assert.ok(zstdDecompressSync(await store.readFrame(first.chunkHash)).equals(content));
  await store.verify(first.chunkHash);
  const names = readdirSync(join(folder, first.chunkHash.slice(0, 2)));
  assert.deepEqual(names, [`${first.chunkHash}.zst`]);
});

test("chunk store: a damaged chunk and a missing one are named by code", async (t) => {
  const folder = makeFolder(t);
  const store = new ChunkStore(folder);
  const { chunkHash } = await store.put(randomBytes(5000));
  const path = join(folder, chunkHash.slice(0, 2), `${chunkHash}.zst`);
  const bytes = readFileSync(path);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const hasCode = (code: string) => (error: unknown) => error instanceof ChunkError && error.code === code;
  await assert.rejects(store.verify(chunkHash), hasCode("chunk-damaged"));
  await assert.rejects(store.readFrame("0".repeat(64)), hasCode("chunk-missing"));
});

test("image import: zero chunks are not stored, equal ones once, and the same disk is the same image", async (t) => {
  const folder = makeFolder(t);
  const chunk = randomBytes(1 << 20);
  const tail = randomBytes(1536);
  const path = join(folder, "disk.img");
  writeFileSync(path, Buffer.concat([chunk, Buffer.alloc(1 << 20), chunk, tail]));
  const store = new ChunkStore(join(folder, "chunks"));
  const { manifest, imageId } = await importRawDisk(store, { path, name: "d" }, () => undefined);
  assert.equal(manifest.sizeBytes, 3 * (1 << 20) + 1536);
  assert.equal(manifest.chunks.length, 4);
  assert.equal(manifest.chunks[1], null);
  assert.equal(manifest.chunks[0], manifest.chunks[2]);
  let knownChunkCount = 0;
  const again = await importRawDisk(store, { path, name: "d" }, (progress) => {
    knownChunkCount = progress.knownChunkCount;
  });
  assert.equal(again.imageId, imageId);
  assert.equal(knownChunkCount, 3);
});

test("chunk store: who reads a chunk that is on its way gets it when it is stored, or the reason why it will not come", async (t) => {
  const store = new ChunkStore(makeFolder(t));
  const [first, second] = [Buffer.from("first"), Buffer.from("second")];
  const names = [first, second].map((content) => hash("sha256", content));
  const [firstHash = "", secondHash = ""] = names;
  const arrival = await store.expect(names);
  assert.equal(arrival.expectedCount, 2);
  const readings = Promise.allSettled(names.map((chunkHash) => store.readFrame(chunkHash)));
  await store.put(first);
  assert.deepEqual([store.isExpected(firstHash), store.isExpected(secondHash)], [false, true]);
  arrival.fail(new Error("its sender is gone"));
  const [come, lost] = await readings;
  assert.equal(come?.status, "fulfilled");
  assert.equal(lost?.status === "rejected" && (lost.reason as Error).message, "its sender is gone");
  store.forget(arrival);
  await assert.rejects(store.readFrame(secondHash), { code: "chunk-missing" });
});
