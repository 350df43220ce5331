import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { compressChunk } from "./chunk-frame.ts";
import { FrameChecker } from "./frame-checker.ts";

test("frame checker: names what frames hold, many at a time, and leaves them as they are", async () => {
  const checker = new FrameChecker();
  const contents = Array.from({ length: 24 }, (_, index) => randomBytes(1 + index * 40_000));
  const frames = await Promise.all(contents.map((content) => compressChunk(content)));
  const copies = frames.map((frame) => Buffer.from(frame));
  const hashes = await Promise.all(frames.map((frame) => checker.hashContent(frame, 1 << 20)));
  assert.deepEqual(
    hashes,
    contents.map((content) => hash("sha256", content)),
  );
  assert.ok(frames.every((frame, index) => frame.equals(copies[index] ?? Buffer.alloc(0))));
});

test("frame checker: what is no frame, is cut off or holds too much has no name, and others are not disturbed", async () => {
  const checker = new FrameChecker();
  const content = randomBytes(100_000);
  const frame = await compressChunk(content);
  const found = await Promise.all([
    checker.hashContent(randomBytes(5000), 1 << 20),
    checker.hashContent(new Uint8Array(), 1 << 20),
    checker.hashContent(frame.subarray(0, frame.byteLength - 1), 1 << 20),
    checker.hashContent(frame, content.byteLength - 1),
    checker.hashContent(frame, content.byteLength),
  ]);
  assert.deepEqual(found, [null, null, null, null, hash("sha256", content)]);
});
