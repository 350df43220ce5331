import type { Ipv4Address } from "../address/ipv4-address.ts";
import type { MacAddress } from "../address/mac-address.ts";
import { encodeEthernetFrame, etherTypes } from "./ethernet-frame.ts";
import { encodeIpv4Packet, ipProtocols } from "./ipv4-packet.ts";
import { encodeUdpDatagram } from "./udp-datagram.ts";

export type UdpFrame = {
  readonly sourceMac: MacAddress;
  readonly destinationMac: MacAddress;
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Routers on the way plus one; 64 unless given. */
  readonly ttl?: number;
  readonly payload: Uint8Array;
};

/**
 * A whole Ethernet frame around a UDP payload: how to answer a computer that has no address yet, so that no ARP
 * question would be answered (RFC 2131 §4.1).
 *
 * @throws WireError `too-long`
 */
export function encodeUdpFrame(frame: UdpFrame): Uint8Array<ArrayBuffer> {
  const packet = encodeIpv4Packet({
    source: frame.source,
    destination: frame.destination,
    protocol: ipProtocols.udp,
    ttl: frame.ttl ?? 64,
    typeOfService: 0,
    identification: 0,
    doesNotFragment: true,
    hasMoreFragments: false,
    fragmentOffsetBytes: 0,
    options: new Uint8Array(0),
    payload: encodeUdpDatagram(frame, frame),
  });
  return encodeEthernetFrame({
    destination: frame.destinationMac,
    source: frame.sourceMac,
    vlanIds: [],
    etherType: etherTypes.ipv4,
    payload: packet,
  });
}
