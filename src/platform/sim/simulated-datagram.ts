import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import { encodeUdpFrame } from "#wire/ethernet/udp-frame.ts";

/** A datagram on a simulated segment. */
export type SimulatedDatagram = {
  readonly sourceMac: MacAddress;
  readonly source: Ipv4Address;
  readonly sourcePort: number;
  readonly destination: Ipv4Address;
  readonly destinationPort: number;
  /** Set when the frame was sent past ARP: only this interface takes it. */
  readonly destinationMac: MacAddress | null;
  readonly ttl: number;
  readonly bytes: Uint8Array;
};

/** One step in a datagram's life, for traces and captures. */
export type TraceEvent = {
  readonly type: "sent" | "delivered" | "lost" | "unheard";
  readonly atMs: number;
  readonly segment: string;
  /** The computer that sent it, or the one it reached or missed. */
  readonly computer: string;
  readonly datagram: SimulatedDatagram;
};

const broadcastMac = "ff:ff:ff:ff:ff:ff" as MacAddress;

/** The event's datagram as an Ethernet frame, for a capture file. */
export function traceFrame(event: TraceEvent): Uint8Array {
  const { datagram } = event;
  return encodeUdpFrame({
    sourceMac: datagram.sourceMac,
    destinationMac: datagram.destinationMac ?? broadcastMac,
    source: datagram.source,
    destination: datagram.destination,
    sourcePort: datagram.sourcePort,
    destinationPort: datagram.destinationPort,
    ttl: datagram.ttl,
    payload: datagram.bytes,
  });
}
