import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { WireError } from "../bytes/wire-error.ts";
import { decodeTftpPacket, encodeTftpPacket, type TftpPacket } from "./packet.ts";

const word = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !text.includes("\0"));
const options = fc
  .uniqueArray(
    fc.tuple(
      word.map((text) => text.toLowerCase()),
      word,
    ),
    { maxLength: 8, selector: ([name]) => name },
  )
  .map((entries) => new Map(entries));
const packet: fc.Arbitrary<TftpPacket> = fc.oneof(
  fc.record({
    type: fc.constantFrom("read-request" as const, "write-request" as const),
    fileName: word,
    mode: fc.constantFrom("octet", "netascii"),
    options,
  }),
  fc.record({
    type: fc.constant("data" as const),
    blockNumber: fc.nat(65535),
    data: fc.uint8Array({ maxLength: 600 }),
  }),
  fc.record({ type: fc.constant("ack" as const), blockNumber: fc.nat(65535) }),
  fc.record({ type: fc.constant("error" as const), code: fc.nat(65535), message: word }),
  fc.record({ type: fc.constant("option-ack" as const), options }),
);

test("TFTP packet: decoding what was encoded gives the same packet", () => {
  fc.assert(
    fc.property(packet, (original) => {
      const decoded = decodeTftpPacket(encodeTftpPacket(original));
      assert.deepEqual(decoded, { ...original });
    }),
  );
});

test("TFTP packet: random bytes decode or raise WireError, nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2100 }), (bytes) => {
      try {
        decodeTftpPacket(bytes);
      } catch (error) {
        assert.ok(error instanceof WireError);
      }
    }),
  );
});

test("TFTP packet: every truncation of a request is refused or is a shorter request, never a crash", () => {
  const bytes = encodeTftpPacket({
    type: "read-request",
    fileName: "undionly.kpxe",
    mode: "octet",
    options: new Map([
      ["blksize", "1468"],
      ["tsize", "0"],
    ]),
  });
  let refused = 0;
  for (let length = 0; length < bytes.byteLength; length += 1) {
    const view = new Uint8Array(Buffer.concat([Buffer.alloc(3), bytes.subarray(0, length)])).subarray(3);
    try {
      decodeTftpPacket(view);
    } catch (error) {
      assert.ok(error instanceof WireError, `length ${length}`);
      refused += 1;
    }
  }
  assert.ok(refused > bytes.byteLength - 5, `only ends of whole options are packets, refused ${refused}`);
});

test("TFTP packet: repeated options keep the first, NUL padding after the last is ignored", () => {
  const text = "\0\x01f\0octet\0BLKSIZE\x001024\0blksize\x00512\0\0\0";
  const decoded = decodeTftpPacket(new TextEncoder().encode(text));
  assert.equal(decoded.type === "read-request" && decoded.options.get("blksize"), "1024");
});

test("TFTP packet: an oversized request is refused", () => {
  const bytes = encodeTftpPacket({
    type: "read-request",
    fileName: "a".repeat(4000),
    mode: "octet",
    options: new Map(),
  });
  assert.throws(() => decodeTftpPacket(bytes), WireError);
});
