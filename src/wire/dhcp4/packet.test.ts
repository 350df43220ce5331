import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Ipv4Address } from "../address/ipv4-address.ts";
import { WireError } from "../bytes/wire-error.ts";
import { type DhcpOptions, findOption } from "./dhcp-options.ts";
import { messageType, messageTypeOption } from "./options/message-type.ts";
import { type DhcpPacket, decodeDhcpPacket, encodeDhcpPacket } from "./packet.ts";

const base: DhcpPacket = {
  operation: "request",
  hardwareType: 1,
  hardwareAddress: Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56),
  hops: 0,
  transactionId: 0xdeadbeef,
  secondsElapsed: 4,
  isBroadcast: true,
  clientAddress: Ipv4Address.any,
  yourAddress: Ipv4Address.any,
  serverAddress: Ipv4Address.any,
  relayAddress: Ipv4Address.any,
  serverName: "",
  bootFile: "",
  options: [messageTypeOption("discover")],
};

const withCode = (code: string): ((error: unknown) => boolean) => {
  return (error) => error instanceof WireError && error.code === code;
};

/** A message with raw bytes in its three option areas. */
function message(areas: { options: number[]; file?: number[]; sname?: number[] }): Uint8Array {
  const bytes = new Uint8Array(240 + areas.options.length);
  bytes.set([1, 1, 6], 0);
  bytes.set(areas.sname ?? [], 44);
  bytes.set(areas.file ?? [], 108);
  bytes.set([0x63, 0x82, 0x53, 0x63], 236);
  bytes.set(areas.options, 240);
  return bytes;
}

function plainRecord<T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(shape, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

/** Text of at most `sizeBytesMax` bytes of UTF-8. */
function text(sizeBytesMax: number): fc.Arbitrary<string> {
  const unit = fc.constantFrom("a", "Z", "/", ".", "-", "_", " ", "é", "€");
  return fc
    .string({ maxLength: sizeBytesMax, unit })
    .filter((value) => Buffer.byteLength(value) <= sizeBytesMax);
}

function byCode(options: DhcpOptions): DhcpOptions {
  return options.toSorted((a, b) => a.code - b.code);
}

function patched(offset: number, value: number): Uint8Array {
  const bytes = message({ options: [255] });
  bytes[offset] = value;
  return bytes;
}

describe("DHCP packet", () => {
  test("every header field lies where RFC 2131 puts it", () => {
    const bytes = encodeDhcpPacket({
      ...base,
      operation: "reply",
      hops: 3,
      clientAddress: Ipv4Address.parse("1.2.3.4"),
      yourAddress: Ipv4Address.parse("5.6.7.8"),
      serverAddress: Ipv4Address.parse("9.10.11.12"),
      relayAddress: Ipv4Address.parse("13.14.15.16"),
      serverName: "S",
      bootFile: "F",
    });
    const hex = Buffer.from(bytes).toString("hex");
    assert.equal(hex.slice(0, 56), "02010603deadbeef000480000102030405060708090a0b0c0d0e0f10");
    assert.equal(hex.slice(56, 88), "52540012345600000000000000000000");
    assert.equal(bytes[44], 0x53);
    assert.equal(bytes[108], 0x46);
    assert.equal(hex.slice(472, 488), "63825363350101ff");
    assert.equal(bytes.byteLength, 300);
    assert.ok(bytes.subarray(244).every((byte) => byte === 0));
  });

  test("what is encoded decodes to the same value", () => {
    const address = fc.nat(0xffffffff).map((value) => Ipv4Address.fromNumber(value >>> 0));
    const option = plainRecord({
      code: fc.integer({ min: 1, max: 254 }).filter((code) => code !== 52 && code !== 53 && code !== 82),
      bytes: fc.uint8Array({ maxLength: 600 }),
    });
    const packets = plainRecord<DhcpPacket>({
      operation: fc.constantFrom("request", "reply"),
      hardwareType: fc.nat(255),
      hardwareAddress: fc.uint8Array({ maxLength: 16 }),
      hops: fc.nat(255),
      transactionId: fc.nat(0xffffffff),
      secondsElapsed: fc.nat(0xffff),
      isBroadcast: fc.boolean(),
      clientAddress: address,
      yourAddress: address,
      serverAddress: address,
      relayAddress: address,
      serverName: text(63),
      bootFile: text(127),
      options: fc.uniqueArray(option, { selector: (item) => item.code, maxLength: 12 }),
    });
    fc.assert(
      fc.property(packets, (packet) => {
        assert.deepEqual(decodeDhcpPacket(encodeDhcpPacket(packet, 9000)), packet);
      }),
    );
  });

  test("options survive any maximum size that is enough, with the same values", () => {
    const option = plainRecord({
      code: fc.constantFrom(12, 43, 53, 60, 66, 82, 97, 175, 200),
      bytes: fc.uint8Array({ maxLength: 300 }),
    });
    const lists = fc.uniqueArray(option, { selector: (item) => item.code, maxLength: 9 });
    let overloadedCount = 0;
    fc.assert(
      fc.property(lists, fc.integer({ min: 260, max: 900 }), (options, sizeBytesMax) => {
        let bytes: Uint8Array;
        try {
          bytes = encodeDhcpPacket({ ...base, options }, sizeBytesMax);
        } catch (error) {
          assert.ok(withCode("too-long")(error));
          return;
        }
        assert.ok(bytes.byteLength <= Math.max(300, sizeBytesMax));
        overloadedCount += bytes[108] !== 0 ? 1 : 0;
        const decoded = decodeDhcpPacket(bytes).options;
        assert.deepEqual(byCode(decoded), byCode(options));
      }),
      { numRuns: 500 },
    );
    assert.ok(overloadedCount > 20, `only ${overloadedCount} runs used option 52`);
  });

  test("option 53 goes first and option 82 last, wherever the caller has them", () => {
    const relay = { code: 82, bytes: Uint8Array.of(1, 1, 9) };
    const bytes = encodeDhcpPacket({
      ...base,
      options: [relay, { code: 60, bytes: Uint8Array.of(65) }, messageTypeOption("offer")],
    });
    assert.equal(Buffer.from(bytes.subarray(240, 252)).toString("hex"), "3501023c01415203010109ff");
  });

  test("a value of 300 bytes goes out in two pieces and comes back whole", () => {
    const value = Uint8Array.from({ length: 300 }, (_, index) => index % 251);
    const bytes = encodeDhcpPacket({ ...base, options: [{ code: 43, bytes: value }] }, 1400);
    assert.deepEqual([...bytes.subarray(240, 242)], [43, 255]);
    assert.deepEqual([...bytes.subarray(497, 499)], [43, 45]);
    assert.deepEqual(findOption(decodeDhcpPacket(bytes).options, 43), value);
  });

  test("pieces of one option are joined in the order options, file, sname", () => {
    const decoded = decodeDhcpPacket(
      message({
        options: [60, 1, 65, 0, 0, 52, 1, 3, 60, 1, 66, 255, 9, 9],
        file: [60, 1, 67, 255, 9],
        sname: [0, 60, 1, 68, 255],
      }),
    );
    assert.deepEqual(decoded.options, [{ code: 60, bytes: Uint8Array.from(Buffer.from("ABCD")) }]);
    assert.equal(decoded.bootFile, "");
    assert.equal(decoded.serverName, "");
  });

  test("without option 52 the fields are texts even when they look like options", () => {
    const decoded = decodeDhcpPacket(message({ options: [53, 1, 1, 255], file: [60, 1, 67] }));
    assert.equal(decoded.bootFile, "<\u0001C");
    assert.equal(findOption(decoded.options, 60), undefined);
  });

  test("option 52 with a value of its own making is refused", () => {
    for (const options of [
      [52, 1, 4, 255],
      [52, 1, 0, 255],
      [52, 2, 1, 1, 255],
      [52, 0, 255],
    ]) {
      assert.throws(() => decodeDhcpPacket(message({ options })), withCode("bad-value"));
    }
  });

  test("options that fit nowhere are refused, not cut", () => {
    const options = [{ code: 43, bytes: new Uint8Array(900) }];
    assert.throws(() => encodeDhcpPacket({ ...base, options }), withCode("too-long"));
    const relay = [{ code: 82, bytes: new Uint8Array(400) }];
    assert.throws(() => encodeDhcpPacket({ ...base, options: relay }, 400), withCode("too-long"));
  });

  test("a boot file name that needs all 128 bytes is refused, since ROMs look for its NUL", () => {
    assert.throws(() => encodeDhcpPacket({ ...base, bootFile: "x".repeat(128) }), withCode("too-long"));
    assert.equal(encodeDhcpPacket({ ...base, bootFile: "x".repeat(127) })[235], 0);
  });

  test("a missing end option is taken as the end, a cut option is not", () => {
    assert.equal(messageType(decodeDhcpPacket(message({ options: [53, 1, 1] })).options), "discover");
    assert.throws(() => decodeDhcpPacket(message({ options: [53, 1, 1, 60] })), withCode("option-past-end"));
    assert.throws(
      () => decodeDhcpPacket(message({ options: [53, 1, 1, 60, 5, 1] })),
      withCode("option-past-end"),
    );
  });

  test("a wrong op, a wrong cookie and a long hardware address are refused by name", () => {
    assert.throws(() => decodeDhcpPacket(patched(0, 3)), /bad-value in op/);
    assert.throws(() => decodeDhcpPacket(patched(239, 0)), /bad-magic in magic cookie/);
    assert.throws(() => decodeDhcpPacket(patched(2, 17)), /bad-length in hlen/);
  });

  test("a decoded packet keeps nothing of the buffer it came from", () => {
    const bytes = encodeDhcpPacket(base);
    const decoded = decodeDhcpPacket(bytes);
    bytes.fill(0xaa);
    assert.deepEqual(decoded, base);
  });
});
