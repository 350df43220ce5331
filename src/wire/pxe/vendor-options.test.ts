import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Ipv4Address } from "../address/ipv4-address.ts";
import { WireError } from "../bytes/wire-error.ts";
import { decodePxeOptions, encodePxeOptions, type PxeOptions } from "./vendor-options.ts";

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

const withCode = (code: string): ((error: unknown) => boolean) => {
  return (error) => error instanceof WireError && error.code === code;
};

const whole: PxeOptions = {
  mtftpAddress: Ipv4Address.parse("224.2.0.2"),
  mtftpClientPort: 1758,
  mtftpServerPort: 1759,
  mtftpTimeoutSeconds: 2,
  mtftpDelaySeconds: 3,
  discoveryControl: {
    noBroadcast: true,
    noMulticast: true,
    onlyListedServers: false,
    bootFileInOffer: true,
  },
  discoveryAddress: Ipv4Address.parse("224.0.1.2"),
  bootServers: [{ type: 0x8000, addresses: [Ipv4Address.parse("10.0.0.1"), Ipv4Address.parse("10.0.0.2")] }],
  bootMenu: [
    { type: 0, text: "Local disk" },
    { type: 0x8000, text: "Préboot" },
  ],
  menuPrompt: { seconds: 10, text: "F8" },
  bootItem: { type: 0x8000, layer: 0x8001 },
  unknown: [{ code: 200, bytes: Uint8Array.of(1, 2, 3) }],
};

describe("PXE options", () => {
  test("all known sub-options read back, unknown ones survive", () => {
    assert.deepEqual(decodePxeOptions(encodePxeOptions(whole)), whole);
    assert.deepEqual(decodePxeOptions(encodePxeOptions({})), {});
  });

  test("MTFTP ports are little-endian, all other numbers big-endian", () => {
    const encoded = encodePxeOptions({ mtftpClientPort: 0x06de, bootItem: { type: 0x8000, layer: 1 } });
    assert.equal(Buffer.from(encoded).toString("hex"), "0202de06470480000001ff");
    assert.equal(decodePxeOptions(bytes("02 02 de06 ff")).mtftpClientPort, 0x06de);
  });

  test("discovery control 11 is: no broadcast, no multicast, boot file in this offer", () => {
    assert.deepEqual(decodePxeOptions(bytes("06 01 0b ff")).discoveryControl, whole.discoveryControl);
    assert.deepEqual(
      encodePxeOptions({ discoveryControl: whole.discoveryControl ?? never() }),
      bytes("06010bff"),
    );
  });

  test("it ends with 255, which may be missing and hides what follows", () => {
    assert.deepEqual([...encodePxeOptions({})], [255]);
    assert.deepEqual(decodePxeOptions(bytes("0a 02 00 50")), { menuPrompt: { seconds: 0, text: "P" } });
    assert.deepEqual(decodePxeOptions(bytes("00 ff 0a 09 09")), {});
  });

  test("lists that run past their sub-option are refused", () => {
    assert.throws(() => decodePxeOptions(bytes("08 04 8000 02 0a")), withCode("truncated"));
    assert.throws(() => decodePxeOptions(bytes("09 04 8000 09 41")), withCode("truncated"));
    assert.throws(() => decodePxeOptions(bytes("01 03 0a0000 ff")), withCode("bad-length"));
    assert.throws(() => decodePxeOptions(bytes("06 05 01")), withCode("option-past-end"));
    assert.throws(() => decodePxeOptions(bytes("06 01 01 06 01 02")), withCode("bad-value"));
  });

  test("a menu of more than 255 bytes is refused when encoding", () => {
    const bootMenu = [
      { type: 1, text: "x".repeat(200) },
      { type: 2, text: "y".repeat(100) },
    ];
    assert.throws(() => encodePxeOptions({ bootMenu }), withCode("too-long"));
  });

  test("any bytes decode or raise WireError, and what decodes encodes to the same value", () => {
    let decodedCount = 0;
    const triple = fc
      .tuple(fc.constantFrom(1, 2, 4, 6, 8, 9, 10, 71, 77), fc.uint8Array({ maxLength: 9 }))
      .map(([code, value]) => [code, value.byteLength, ...value]);
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(triple, { maxLength: 4 }).map((parts) => Uint8Array.from(parts.flat())),
    );
    fc.assert(
      fc.property(inputs, (input) => {
        let decoded: PxeOptions;
        try {
          decoded = decodePxeOptions(input);
        } catch (error) {
          assert.ok(error instanceof WireError, String(error));
          return;
        }
        decodedCount += 1;
        const hasOddText = JSON.stringify(decoded).includes("\ufffd");
        if (!hasOddText) {
          assert.deepEqual(decodePxeOptions(encodePxeOptions(decoded)), decoded);
        }
      }),
      { numRuns: 1000 },
    );
    assert.ok(decodedCount > 100, `only ${decodedCount} inputs decoded`);
  });
});

function never(): never {
  throw new Error("the fixture has this field");
}
