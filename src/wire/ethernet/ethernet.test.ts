import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Ipv4Address } from "../address/ipv4-address.ts";
import { MacAddress } from "../address/mac-address.ts";
import { WireError } from "../bytes/wire-error.ts";
import { decodeArpPacket, encodeArpPacket } from "./arp-packet.ts";
import { decodeEthernetFrame, encodeEthernetFrame, etherTypes } from "./ethernet-frame.ts";
import { internetChecksum } from "./internet-checksum.ts";
import { decodeIpv4Packet, encodeIpv4Packet, ipProtocols } from "./ipv4-packet.ts";
import { decodeUdpDatagram, encodeUdpDatagram } from "./udp-datagram.ts";
import { encodeUdpFrame } from "./udp-frame.ts";

const here = MacAddress.parse("52:54:00:00:00:01");
const there = MacAddress.parse("52:54:00:00:00:02");
const source = Ipv4Address.parse("192.168.0.1");
const destination = Ipv4Address.parse("192.168.0.199");

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

const withCode = (code: string): ((error: unknown) => boolean) => {
  return (error) => error instanceof WireError && error.code === code;
};

describe("Ethernet, ARP, IPv4 and UDP", () => {
  test("the checksum of a known header is b861", () => {
    assert.equal(internetChecksum(bytes("4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7")), 0xb861);
    assert.equal(internetChecksum(bytes("4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7")), 0);
    assert.equal(internetChecksum(bytes("ff")), 0x00ff);
    assert.equal(internetChecksum(new Uint8Array(65_536).fill(0xff)), 0);
  });

  test("an IPv4 header encodes to known bytes", () => {
    const packet = {
      source,
      destination,
      protocol: ipProtocols.udp,
      ttl: 64,
      typeOfService: 0,
      identification: 0,
      doesNotFragment: true,
      hasMoreFragments: false,
      fragmentOffsetBytes: 0,
      options: new Uint8Array(0),
      payload: new Uint8Array(95),
    };
    const encoded = encodeIpv4Packet(packet);
    assert.equal(
      Buffer.from(encoded.subarray(0, 20)).toString("hex"),
      "450000730000400040 11 b861 c0a80001 c0a800c7".replaceAll(" ", ""),
    );
    assert.deepEqual(decodeIpv4Packet(encoded), { ...packet, isChecksumRight: true });
    const padded = new Uint8Array(200);
    padded.set(encoded);
    assert.equal(decodeIpv4Packet(padded).payload.byteLength, 95);
    padded[8] = 63;
    assert.equal(decodeIpv4Packet(padded).isChecksumRight, false);
  });

  test("IPv4 options and fragments read back; a header that lies about its size is refused", () => {
    const packet = {
      source,
      destination,
      protocol: ipProtocols.igmp,
      ttl: 1,
      typeOfService: 0xc0,
      identification: 0x1234,
      doesNotFragment: false,
      hasMoreFragments: true,
      fragmentOffsetBytes: 1480,
      options: bytes("94040000"),
      payload: bytes("16"),
    };
    assert.deepEqual(decodeIpv4Packet(encodeIpv4Packet(packet)), { ...packet, isChecksumRight: true });
    const broken = encodeIpv4Packet(packet);
    broken[0] = 0x44;
    assert.throws(() => decodeIpv4Packet(broken), withCode("bad-length"));
    broken[0] = 0x65;
    assert.throws(() => decodeIpv4Packet(broken), withCode("unsupported-version"));
    assert.throws(() => encodeIpv4Packet({ ...packet, options: bytes("94") }), withCode("bad-length"));
    assert.throws(
      () => encodeIpv4Packet({ ...packet, payload: new Uint8Array(65_520) }),
      withCode("too-long"),
    );
  });

  test("UDP: the checksum covers addresses, ports and payload", () => {
    const addresses = { source, destination };
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffff), fc.uint8Array({ maxLength: 50 }), (from, to, payload) => {
        const encoded = encodeUdpDatagram({ sourcePort: from, destinationPort: to, payload }, addresses);
        const expected = { sourcePort: from, destinationPort: to, payload, checksum: "right" };
        assert.deepEqual(decodeUdpDatagram(encoded, addresses), expected);
        const moved = { source, destination: Ipv4Address.parse("192.168.0.200") };
        assert.equal(decodeUdpDatagram(encoded, moved).checksum, "wrong");
      }),
    );
  });

  test("UDP: a checksum of zero means none, and a sum of zero is never sent", () => {
    const addresses = { source, destination };
    const none = bytes("0043 0044 0009 0000 41");
    assert.equal(decodeUdpDatagram(none, addresses).checksum, "none");
    const datagram = { sourcePort: 0, destinationPort: 0, payload: new Uint8Array(2) };
    const sum = new DataView(encodeUdpDatagram(datagram, addresses).buffer).getUint16(6);
    const payload = Uint8Array.of(sum >>> 8, sum & 255);
    const checksum = new DataView(encodeUdpDatagram({ ...datagram, payload }, addresses).buffer).getUint16(6);
    assert.equal(checksum, 0xffff);
    assert.throws(() => decodeUdpDatagram(bytes("0043 0044 0007 0000"), addresses), withCode("bad-length"));
    assert.throws(() => decodeUdpDatagram(bytes("0043 0044 0009 0000"), addresses), withCode("truncated"));
  });

  test("a frame with two VLAN tags shows the ids and what is inside", () => {
    const frame = decodeEthernetFrame(bytes("525400000002 525400000001 88a8 0064 8100 e00a 0800 4500"));
    assert.deepEqual(frame, {
      destination: there,
      source: here,
      vlanIds: [100, 10],
      etherType: etherTypes.ipv4,
      payload: bytes("4500"),
    });
    assert.throws(() => decodeEthernetFrame(bytes("525400000002 525400000001 8100")), withCode("truncated"));
  });

  test("ARP reads back and refuses other hardware", () => {
    const packet = {
      operation: "reply",
      senderMac: here,
      senderAddress: source,
      targetMac: there,
      targetAddress: destination,
    } as const;
    const encoded = encodeArpPacket(packet);
    assert.equal(
      Buffer.from(encoded).toString("hex"),
      "0001080006040002525400000001c0a80001525400000002c0a800c7",
    );
    assert.deepEqual(decodeArpPacket(encoded), packet);
    encoded[1] = 6;
    assert.throws(() => decodeArpPacket(encoded), withCode("bad-value"));
  });

  test("a UDP frame for a computer without an address takes apart layer by layer", () => {
    const frame = encodeUdpFrame({
      sourceMac: here,
      destinationMac: there,
      source,
      destination,
      sourcePort: 67,
      destinationPort: 68,
      payload: bytes("aabbcc"),
    });
    const ethernet = decodeEthernetFrame(frame);
    const packet = decodeIpv4Packet(ethernet.payload);
    assert.ok(packet.isChecksumRight);
    assert.deepEqual(decodeUdpDatagram(packet.payload, packet), {
      sourcePort: 67,
      destinationPort: 68,
      payload: bytes("aabbcc"),
      checksum: "right",
    });
    const frameAgain = encodeEthernetFrame(ethernet);
    assert.deepEqual(frameAgain, frame);
  });
});
