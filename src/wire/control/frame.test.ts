import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { WireError } from "../bytes/wire-error.ts";
import { encodeFrame, FrameReader, frameSizeBytesMax } from "./frame.ts";

function framed(body: string | Uint8Array, version = 1): Uint8Array {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const frame = new Uint8Array(5 + bytes.byteLength);
  new DataView(frame.buffer).setUint32(0, bytes.byteLength + 1);
  frame[4] = version;
  frame.set(bytes, 5);
  return frame;
}

test("control frame: messages come out whole, however the stream is cut", () => {
  const messages = fc.array(fc.record({ type: fc.string(), n: fc.nat() }, { noNullPrototype: true }), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (list, cuts) => {
      const stream = list.flatMap((message) => [...encodeFrame(message)]);
      const reader = new FrameReader();
      const found: unknown[] = [];
      for (let offset = 0, index = 0; offset < stream.length; index += 1) {
        const sizeBytes = cuts[index % cuts.length] ?? 1;
        found.push(...reader.push(Uint8Array.from(stream.slice(offset, offset + sizeBytes))));
        offset += sizeBytes;
      }
      assert.deepEqual(found, list);
    }),
  );
});

test("control frame: a frame over the bound is refused by its size alone, before its body is there", () => {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, frameSizeBytesMax.beforeAuthentication + 1);
  assert.throws(() => [...new FrameReader().push(head)], { code: "too-long" });
  const raised = new FrameReader();
  raised.sizeBytesMax = frameSizeBytesMax.afterAuthentication;
  assert.deepEqual([...raised.push(head)], []);
});

test("control frame: a bound raised while a frame is handled counts for the next one in the same bytes", () => {
  const large = encodeFrame({ text: "x".repeat(100_000) });
  const reader = new FrameReader();
  const values: unknown[] = [];
  for (const value of reader.push(Uint8Array.from([...encodeFrame({ n: 1 }), ...large]))) {
    values.push(value);
    reader.sizeBytesMax = frameSizeBytesMax.afterAuthentication;
  }
  assert.equal(values.length, 2);
});

test("control frame: sizes 0 and 1, another version, no JSON and bad UTF-8 are refused", () => {
  for (const [bytes, code] of [
    [Uint8Array.of(0, 0, 0, 0), "too-long"],
    [Uint8Array.of(0, 0, 0, 1, 1), "too-long"],
    [framed("{}", 2), "unsupported-version"],
    [framed("{"), "bad-value"],
    [framed(Uint8Array.of(0x22, 0xff, 0x22)), "bad-value"],
  ] as const) {
    assert.throws(() => [...new FrameReader().push(bytes)], { code });
  }
});

test("control frame: 64 KiB that come byte by byte are joined without a copy for each byte", () => {
  const frame = encodeFrame({ text: "x".repeat(60_000) });
  const reader = new FrameReader();
  const before = process.cpuUsage();
  let count = 0;
  for (const byte of frame) {
    count += [...reader.push(Uint8Array.of(byte))].length;
  }
  assert.equal(count, 1);
  assert.ok(process.cpuUsage(before).user < 2_000_000);
});

test("control frame: random bytes end in values or a WireError", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (pieces) => {
      const reader = new FrameReader();
      try {
        for (const piece of pieces) {
          Array.from(reader.push(piece));
        }
      } catch (error) {
        assert.ok(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
