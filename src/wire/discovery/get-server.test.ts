import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Ipv4Address } from "../address/ipv4-address.ts";
import { MacAddress } from "../address/mac-address.ts";
import { WireError } from "../bytes/wire-error.ts";
import {
  decodeGetServerAnswer,
  decodeGetServerRequest,
  encodeGetServerAnswer,
  encodeGetServerFacts,
  encodeGetServerRequest,
  type GetServerFacts,
  requestSizeBytes,
} from "./get-server.ts";

const bytesOf = (from: number, to = from): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: from, maxLength: to });
const macs = fc.array(
  bytesOf(6).map((bytes) => MacAddress.fromBytes(bytes)),
  { minLength: 1, maxLength: 16 },
);

const facts: fc.Arbitrary<GetServerFacts> = fc.record(
  {
    nonce: bytesOf(16),
    address: bytesOf(4).map((bytes) => Ipv4Address.fromBytes(bytes)),
    port: fc.integer({ min: 1, max: 65_535 }),
    isKnown: fc.boolean(),
    serverName: fc.string({
      minLength: 1,
      maxLength: 15,
      unit: fc.constantFrom("a", "Z", "0", "-", ".", "é"),
    }),
    siteKey: bytesOf(1, 256),
  },
  { noNullPrototype: true },
);

const example: GetServerFacts = {
  nonce: new Uint8Array(16).fill(7),
  address: Ipv4Address.parse("192.168.0.1"),
  port: 402,
  isKnown: true,
  serverName: "ds1",
  siteKey: new Uint8Array(91).fill(9),
};

function throwsOnlyWireErrors(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void {
  try {
    decode(bytes);
  } catch (error) {
    assert.ok(error instanceof WireError, String(error));
  }
}

test("discovery: a request comes back as it was sent, always 512 bytes long", () => {
  fc.assert(
    fc.property(bytesOf(16), macs, (nonce, list) => {
      const bytes = encodeGetServerRequest({ nonce, macs: list });
      assert.equal(bytes.byteLength, requestSizeBytes);
      assert.deepEqual(decodeGetServerRequest(bytes), { type: "get-server", nonce, macs: list });
    }),
  );
});

test("discovery: an answer comes back as it was sent, and is never longer than its question", () => {
  fc.assert(
    fc.property(facts, bytesOf(1, 128), (given, signature) => {
      const signedBytes = encodeGetServerFacts(given);
      const bytes = encodeGetServerAnswer(signedBytes, signature);
      assert.ok(bytes.byteLength <= requestSizeBytes);
      assert.deepEqual(decodeGetServerAnswer(bytes), { type: "server", ...given, signature, signedBytes });
    }),
  );
});

test("discovery: every truncation and every longer message is refused", () => {
  const request = encodeGetServerRequest({
    nonce: example.nonce,
    macs: [MacAddress.parse("52:54:00:00:00:01")],
  });
  const answer = encodeGetServerAnswer(encodeGetServerFacts(example), new Uint8Array(71).fill(3));
  for (let sizeBytes = 0; sizeBytes < request.byteLength; sizeBytes += 1) {
    assert.throws(() => decodeGetServerRequest(request.subarray(0, sizeBytes)), WireError);
  }
  for (let sizeBytes = 0; sizeBytes < answer.byteLength; sizeBytes += 1) {
    assert.throws(() => decodeGetServerAnswer(answer.subarray(0, sizeBytes)), WireError);
  }
  assert.throws(() => decodeGetServerRequest(new Uint8Array([...request, 0])), { code: "too-long" });
  assert.throws(() => decodeGetServerAnswer(new Uint8Array([...answer, 0])), { code: "trailing-bytes" });
});

test("discovery: control characters in a server name are refused", () => {
  for (const serverName of ["a\u001b[2J", "a\nb", "a\u202eb"]) {
    const bytes = encodeGetServerAnswer(encodeGetServerFacts({ ...example, serverName }), new Uint8Array(70));
    assert.throws(() => decodeGetServerAnswer(bytes), { code: "bad-value" });
  }
});

test("discovery: random bytes, and messages with changed bytes, end in a value or a WireError", () => {
  const answer = encodeGetServerAnswer(encodeGetServerFacts(example), new Uint8Array(71).fill(3));
  fc.assert(
    fc.property(bytesOf(0, 600), fc.nat(answer.byteLength - 1), fc.nat(255), (noise, at, value) => {
      throwsOnlyWireErrors(decodeGetServerRequest, noise);
      throwsOnlyWireErrors(decodeGetServerAnswer, noise);
      const changed = answer.slice();
      changed[at] = value;
      throwsOnlyWireErrors(decodeGetServerAnswer, changed);
    }),
    { numRuns: 1000 },
  );
});
