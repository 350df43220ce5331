import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MacAddress } from "../address/mac-address.ts";
import { WireError } from "../bytes/wire-error.ts";
import { decodeMagicPacket, encodeMagicPacket } from "./magic-packet.ts";

const mac = MacAddress.parse("52:54:00:12:34:56");

describe("magic packet", () => {
  test("it is six ff bytes and sixteen times the address", () => {
    const hex = Buffer.from(encodeMagicPacket({ mac })).toString("hex");
    assert.equal(hex, "ffffffffffff" + "525400123456".repeat(16));
    assert.deepEqual(decodeMagicPacket(encodeMagicPacket({ mac })), { mac });
  });

  test("a password of 4 or 6 bytes follows, no other size", () => {
    for (const sizeBytes of [4, 6]) {
      const packet = { mac, secureOnPassword: new Uint8Array(sizeBytes).fill(7) };
      assert.equal(encodeMagicPacket(packet).byteLength, 102 + sizeBytes);
      assert.deepEqual(decodeMagicPacket(encodeMagicPacket(packet)), packet);
    }
    assert.throws(() => encodeMagicPacket({ mac, secureOnPassword: new Uint8Array(5) }), WireError);
    const odd = new Uint8Array(105);
    odd.set(encodeMagicPacket({ mac }));
    assert.throws(() => decodeMagicPacket(odd), /bad-length in SecureOn password/);
  });

  test("a copy that differs, a wrong start and every truncation are refused", () => {
    const bytes = encodeMagicPacket({ mac });
    for (let sizeBytes = 0; sizeBytes < bytes.byteLength; sizeBytes += 1) {
      assert.throws(() => decodeMagicPacket(bytes.subarray(0, sizeBytes)), /^WireError: truncated/);
    }
    const different = bytes.slice();
    different[101] = 0;
    assert.throws(() => decodeMagicPacket(different), /bad-value in MAC address.*copy 16/);
    different[0] = 0;
    assert.throws(() => decodeMagicPacket(different), /bad-magic/);
  });
});
