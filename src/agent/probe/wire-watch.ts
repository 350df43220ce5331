import type { SocketGrant } from "#plan/socket-grant.ts";
import { NetworkError } from "#platform/network-error.ts";
import { type FrameTap, watchFrames } from "#platform/watch-frames.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { decodeEthernetFrame, etherTypes } from "#wire/ethernet/ethernet-frame.ts";
import { readForwardDelaySeconds } from "#wire/ethernet/bridge-protocol.ts";
import { decodeIpv4Packet, ipProtocols, type Ipv4Packet } from "#wire/ethernet/ipv4-packet.ts";
import { decodeUdpDatagram } from "#wire/ethernet/udp-datagram.ts";
import { decodeProbeDatagram, type ProbeDatagram } from "#wire/probe/probe-datagram.ts";
import type { WireSighting } from "#wire/probe/probe-sighting.ts";

/** Membership query. RFC 2236 §2.1, RFC 3376 §4.1 */
const igmpQuery = 0x11;

/** What frames on the wire say that sockets do not: TTL left, checksums, fragments, queries, spanning tree. */
export class WireWatch {
  readonly #serverAddress: Ipv4Address;
  readonly #token: number;
  #routerCount: number | null = null;
  #queryCount = 0;
  #querierAddress: Ipv4Address | null = null;
  #probeCount = 0;
  #rightChecksums = 0;
  #wrongChecksums = 0;
  #fragmentCount = 0;
  #forwardDelaySeconds: number | null = null;

  constructor(serverAddress: Ipv4Address, token: number) {
    this.#serverAddress = serverAddress;
    this.#token = token;
  }

  get queryCount(): number {
    return this.#queryCount;
  }

  get fragmentCount(): number {
    return this.#fragmentCount;
  }

  receive(bytes: Uint8Array): void {
    try {
      const frame = decodeEthernetFrame(bytes);
      this.#forwardDelaySeconds = readForwardDelaySeconds(bytes) ?? this.#forwardDelaySeconds;
      if (frame.etherType === etherTypes.ipv4) {
        this.#receivePacket(decodeIpv4Packet(frame.payload));
      }
    } catch (error) {
      // Other people's frames may be anything, and long ones are cut.
      if (!(error instanceof WireError)) {
        throw error;
      }
    }
  }

  /** @param isJoined whether the groups were joined while this watch ran */
  sighting(isJoined: boolean): WireSighting {
    return {
      routerCount: this.#routerCount,
      queryCount: this.#queryCount,
      querierAddress: this.#querierAddress,
      floodedCount: isJoined ? 0 : this.#probeCount,
      rightChecksums: this.#rightChecksums,
      wrongChecksums: this.#wrongChecksums,
      fragmentCount: this.#fragmentCount,
      forwardDelaySeconds: this.#forwardDelaySeconds,
    };
  }

  #receivePacket(packet: Ipv4Packet): void {
    if (packet.protocol === ipProtocols.igmp && packet.payload[0] === igmpQuery) {
      this.#queryCount += 1;
      this.#querierAddress = packet.source;
      return;
    }
    if (packet.protocol !== ipProtocols.udp || packet.source !== this.#serverAddress) {
      return;
    }
    if (packet.hasMoreFragments || packet.fragmentOffsetBytes > 0) {
      this.#fragmentCount += 1;
      return;
    }
    const datagram = decodeUdpDatagram(packet.payload, packet);
    if (datagram.checksum === "wrong") {
      this.#wrongChecksums += 1;
    } else {
      this.#rightChecksums += 1;
    }
    const probe = decodeProbe(datagram.payload);
    if (probe?.token === this.#token) {
      this.#probeCount += 1;
      this.#routerCount = Math.max(this.#routerCount ?? 0, probe.ttl - packet.ttl);
    }
  }
}

/** A look at the wire where the system allows it; probes say less without. */
export async function tryWatchFrames(grant: SocketGrant, watch: WireWatch): Promise<FrameTap | null> {
  try {
    return await watchFrames(grant, (frame) => watch.receive(frame));
  } catch (error) {
    if (error instanceof NetworkError) {
      return null;
    }
    throw error;
  }
}

function decodeProbe(payload: Uint8Array): ProbeDatagram | null {
  try {
    return decodeProbeDatagram(payload);
  } catch (error) {
    if (error instanceof WireError) {
      return null;
    }
    throw error;
  }
}
