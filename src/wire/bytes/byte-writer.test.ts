import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { WireError } from "./wire-error.ts";

test("ByteWriter: every kind of field may be the one that makes the buffer grow", () => {
  const bytes = new ByteWriter(1)
    .uint8(1)
    .uint16(0x0203)
    .uint32(0x04050607)
    .uint64(0x08090a0b0c0d0e0fn)
    .uint16LittleEndian(0x1110)
    .uint32LittleEndian(0x15141312)
    .nulTerminatedText("abc")
    .fixedText("x", 40)
    .finish();
  assert.equal(bytes.byteLength, 65);
  assert.deepEqual([...bytes.subarray(0, 15)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  assert.deepEqual([...bytes.subarray(15, 21)], [0x10, 0x11, 0x12, 0x13, 0x14, 0x15]);
});

test("ByteReader: fails on short input and names the field, also on a view inside a larger buffer", () => {
  const view = Uint8Array.from([9, 9, 1, 2, 3, 9]).subarray(2, 5);
  const reader = new ByteReader(view);
  assert.equal(reader.uint16("first"), 0x0102);
  assert.throws(
    () => reader.uint16("second"),
    (error) =>
      error instanceof WireError &&
      error.code === "truncated" &&
      error.facts.field === "second" &&
      error.facts.offset === 2 &&
      error.facts.haveBytes === 1,
  );
  assert.deepEqual([...reader.rest()], [3]);
});

test("bytes: a copy of a socket's Buffer stays when the Buffer is used again", () => {
  const received = Buffer.from([1, 2, 3]);
  const copy = new ByteReader(received).copy(2, "pair");
  received.fill(9);
  assert.deepEqual([...copy], [1, 2]);
});
