import { Ipv4Address } from "../address/ipv4-address.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";
import { internetChecksum } from "./internet-checksum.ts";

/*
 * offset size field
 *      0    1 version (4) and header size in words (5-15)
 *      1    1 type of service
 *      2    2 total size
 *      4    2 identification
 *      6    2 flags (0x4000 do not fragment, 0x2000 more fragments) and fragment offset in 8 bytes
 *      8    1 time to live
 *      9    1 protocol
 *     10    2 header checksum
 *     12    4 source         16 4 destination
 *     20    … options        then the payload
 */

export const ipProtocols = { icmp: 1, igmp: 2, tcp: 6, udp: 17 } as const;

const minimumHeaderBytes = 20;

export type Ipv4Packet = {
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
  readonly protocol: number;
  readonly ttl: number;
  readonly typeOfService: number;
  readonly identification: number;
  readonly doesNotFragment: boolean;
  readonly hasMoreFragments: boolean;
  /** 0 for a whole packet or a first fragment. */
  readonly fragmentOffsetBytes: number;
  readonly options: Uint8Array;
  readonly payload: Uint8Array;
};

/**
 * Decodes an IPv4 packet; bytes after its total size are Ethernet padding and left out.
 *
 * @returns The packet, and whether its header checksum is right.
 * @throws WireError `truncated` | `unsupported-version` | `bad-length`
 * @see RFC 791 §3.1
 */
export function decodeIpv4Packet(bytes: Uint8Array): Ipv4Packet & { readonly isChecksumRight: boolean } {
  const reader = new ByteReader(bytes);
  const versionAndSize = reader.uint8("version");
  if (versionAndSize >>> 4 !== 4) {
    const detail = String(versionAndSize >>> 4);
    throw new WireError({ code: "unsupported-version", field: "IP version", offset: 0, detail });
  }
  const headerBytes = (versionAndSize & 15) * 4;
  const typeOfService = reader.uint8("type of service");
  const totalBytes = reader.uint16("total size");
  if (headerBytes < minimumHeaderBytes || totalBytes < headerBytes) {
    const sizes = { needBytes: Math.max(headerBytes, minimumHeaderBytes), haveBytes: totalBytes };
    throw new WireError({ code: "bad-length", field: "IPv4 header", offset: 0, ...sizes });
  }
  const identification = reader.uint16("identification");
  const fragment = reader.uint16("fragment");
  const ttl = reader.uint8("time to live");
  const protocol = reader.uint8("protocol");
  reader.skip(2, "header checksum");
  const source = Ipv4Address.fromBytes(reader.view(4, "source"));
  const destination = Ipv4Address.fromBytes(reader.view(4, "destination"));
  const options = reader.view(headerBytes - minimumHeaderBytes, "IPv4 options");
  const payload = reader.view(totalBytes - headerBytes, "IPv4 payload");
  return {
    source,
    destination,
    protocol,
    ttl,
    typeOfService,
    identification,
    doesNotFragment: (fragment & 0x4000) !== 0,
    hasMoreFragments: (fragment & 0x2000) !== 0,
    fragmentOffsetBytes: (fragment & 0x1fff) * 8,
    options,
    payload,
    isChecksumRight: internetChecksum(bytes.subarray(0, headerBytes)) === 0,
  };
}

/**
 * Encodes a packet with its header checksum.
 *
 * @throws WireError `bad-length` for options that are not whole words or over 40 bytes, `too-long` over 65535 bytes
 */
export function encodeIpv4Packet(packet: Ipv4Packet): Uint8Array<ArrayBuffer> {
  const optionsBytes = packet.options.byteLength;
  if (optionsBytes % 4 !== 0 || optionsBytes > 40) {
    const sizes = { needBytes: 40, haveBytes: optionsBytes };
    throw new WireError({ code: "bad-length", field: "IPv4 options", offset: 20, ...sizes });
  }
  const headerBytes = minimumHeaderBytes + optionsBytes;
  const totalBytes = headerBytes + packet.payload.byteLength;
  if (totalBytes > 0xffff) {
    const sizes = { needBytes: totalBytes, haveBytes: 0xffff };
    throw new WireError({ code: "too-long", field: "IPv4 packet", offset: 2, ...sizes });
  }
  const fragment =
    (packet.doesNotFragment ? 0x4000 : 0) |
    (packet.hasMoreFragments ? 0x2000 : 0) |
    (packet.fragmentOffsetBytes / 8);
  const header = (checksum: number): Uint8Array =>
    new ByteWriter(headerBytes)
      .uint8(0x40 | (headerBytes / 4))
      .uint8(packet.typeOfService)
      .uint16(totalBytes)
      .uint16(packet.identification)
      .uint16(fragment)
      .uint8(packet.ttl)
      .uint8(packet.protocol)
      .uint16(checksum)
      .put(Ipv4Address.toBytes(packet.source))
      .put(Ipv4Address.toBytes(packet.destination))
      .put(packet.options)
      .finish();
  return new ByteWriter(totalBytes)
    .put(header(internetChecksum(header(0))))
    .put(packet.payload)
    .finish();
}
