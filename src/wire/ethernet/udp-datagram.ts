import { Ipv4Address } from "../address/ipv4-address.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";
import { internetChecksum } from "./internet-checksum.ts";
import { ipProtocols } from "./ipv4-packet.ts";

/*
 * offset size field
 *      0    2 source port
 *      2    2 destination port
 *      4    2 size of header and payload
 *      6    2 checksum over a pseudo header, the header and the payload; 0 = none
 */

const headerBytes = 8;

export type UdpAddresses = { readonly source: Ipv4Address; readonly destination: Ipv4Address };

export type UdpDatagram = {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
};

/** `wrong` is what a network card leaves that should have filled it in (offload), or damage on the way. */
export type UdpChecksum = "right" | "wrong" | "none";

/**
 * Decodes a UDP datagram; bytes after its size are left out.
 *
 * @throws WireError `truncated` | `bad-length`
 * @see RFC 768
 */
export function decodeUdpDatagram(
  bytes: Uint8Array,
  addresses: UdpAddresses,
): UdpDatagram & { readonly checksum: UdpChecksum } {
  const reader = new ByteReader(bytes);
  const sourcePort = reader.uint16("source port");
  const destinationPort = reader.uint16("destination port");
  const sizeBytes = reader.uint16("UDP size");
  const checksum = reader.uint16("UDP checksum");
  if (sizeBytes < headerBytes) {
    const sizes = { needBytes: headerBytes, haveBytes: sizeBytes };
    throw new WireError({ code: "bad-length", field: "UDP size", offset: 4, ...sizes });
  }
  const payload = reader.view(sizeBytes - headerBytes, "UDP payload");
  return {
    sourcePort,
    destinationPort,
    payload,
    checksum: checksum === 0 ? "none" : judgeChecksum(bytes.subarray(0, sizeBytes), addresses),
  };
}

/** Encodes a datagram with its checksum. @throws WireError `too-long` over 65527 bytes of payload */
export function encodeUdpDatagram(datagram: UdpDatagram, addresses: UdpAddresses): Uint8Array<ArrayBuffer> {
  const sizeBytes = headerBytes + datagram.payload.byteLength;
  if (sizeBytes > 0xffff) {
    const sizes = { needBytes: sizeBytes, haveBytes: 0xffff };
    throw new WireError({ code: "too-long", field: "UDP payload", offset: headerBytes, ...sizes });
  }
  const write = (checksum: number): Uint8Array<ArrayBuffer> =>
    new ByteWriter(sizeBytes)
      .uint16(datagram.sourcePort)
      .uint16(datagram.destinationPort)
      .uint16(sizeBytes)
      .uint16(checksum)
      .put(datagram.payload)
      .finish();
  const sum = internetChecksum(pseudoHeader(addresses, sizeBytes), write(0));
  // Zero means "no checksum", so a sum of zero goes out as its other form.
  return write(sum === 0 ? 0xffff : sum);
}

function judgeChecksum(datagram: Uint8Array, addresses: UdpAddresses): UdpChecksum {
  const sum = internetChecksum(pseudoHeader(addresses, datagram.byteLength), datagram);
  return sum === 0 ? "right" : "wrong";
}

function pseudoHeader(addresses: UdpAddresses, sizeBytes: number): Uint8Array {
  return new ByteWriter(12)
    .put(Ipv4Address.toBytes(addresses.source))
    .put(Ipv4Address.toBytes(addresses.destination))
    .uint8(0)
    .uint8(ipProtocols.udp)
    .uint16(sizeBytes)
    .finish();
}
