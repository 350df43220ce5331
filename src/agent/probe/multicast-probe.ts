import { grantSocket, type SocketGrant } from "#plan/socket-grant.ts";
import type { UdpSocket } from "#platform/network.ts";
import type { FrameTap } from "#platform/watch-frames.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { decodeMagicPacket } from "#wire/magic-packet/magic-packet.ts";
import { decodeProbeDatagram, type ProbeDatagram } from "#wire/probe/probe-datagram.ts";
import type { ProbeOrder, ProbePair } from "#wire/probe/probe-order.ts";
import type { PairSighting, ProbeCount, ProbeSighting } from "#wire/probe/probe-sighting.ts";
import { type ProbeContext, pause } from "./probe-context.ts";
import { flowWith } from "./probe-flows.ts";
import { tryWatchFrames, WireWatch } from "./wire-watch.ts";

type MulticastOrder = Extract<ProbeOrder, { readonly kind: "multicast" }>;

/** IP and UDP headers. */
const headersSizeBytes = 28;
const sequenceMax = 10_000;
/** For datagrams that are on the way when the server says it has sent them. */
const graceMs = 300;
/** A querier asks after a leave at once, and again after a second. RFC 2236 §3, §8.8 */
const queryWaitMs = 2500;

/** What one (group, port) pair brought. */
class PairCounter {
  readonly #pair: ProbePair;
  readonly #token: number;
  /** BOUNDED by `sequenceMax`: the server sends a few hundred. */
  readonly #seen = new Set<number>();
  /** Keyed by TTL and by size. BOUNDED by what the fields of a datagram can say. */
  readonly #ttls = new Map<number, number>();
  readonly #sizes = new Map<number, number>();
  #highest = 0;
  #reordered = 0;
  #duplicates = 0;
  #source: Ipv4Address | null = null;

  constructor(pair: ProbePair, token: number) {
    this.#pair = pair;
    this.#token = token;
  }

  receive(bytes: Uint8Array, source: Ipv4Address): void {
    const probe = decodeProbe(bytes);
    if (probe === null || probe.token !== this.#token || probe.sequence > sequenceMax) {
      return;
    }
    this.#source = source;
    if (this.#seen.has(probe.sequence)) {
      this.#duplicates += 1;
      return;
    }
    this.#reordered += probe.sequence < this.#highest ? 1 : 0;
    this.#highest = Math.max(this.#highest, probe.sequence);
    this.#seen.add(probe.sequence);
    add(this.#ttls, probe.ttl);
    add(this.#sizes, bytes.byteLength + headersSizeBytes);
  }

  sighting(): PairSighting {
    return {
      ...this.#pair,
      received: this.#seen.size,
      highestSequence: this.#highest,
      reordered: this.#reordered,
      duplicates: this.#duplicates,
      sourceAddress: this.#source,
      byTtl: listCounts(this.#ttls, 255),
      bySize: listCounts(this.#sizes, 64),
    };
  }
}

function add(counts: Map<number, number>, value: number): void {
  counts.set(value, (counts.get(value) ?? 0) + 1);
}

function listCounts(counts: ReadonlyMap<number, number>, countMax: number): ProbeCount[] {
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .toSorted((left, right) => left.value - right.value)
    .slice(0, countMax);
}

function decodeProbe(bytes: Uint8Array): ProbeDatagram | null {
  try {
    return decodeProbeDatagram(bytes);
  } catch (error) {
    if (error instanceof WireError) {
      return null;
    }
    throw error;
  }
}

function grantPair(context: ProbeContext, pair: ProbePair): SocketGrant {
  const flow = flowWith("imaging.data", { "imaging.groups": [pair.group], "imaging.ports": [pair.port] });
  return grantSocket(flow, {
    role: "preboot",
    side: "listen",
    interfaceName: context.networkInterface.name,
    localAddress: pair.group,
    localPort: pair.port,
    groups: [pair.group],
  });
}

/** Joins as an imaging receiver does and counts; or, without joining, only watches what is flooded. */
export async function probeMulticast(context: ProbeContext, order: MulticastOrder): Promise<ProbeSighting> {
  const [first] = order.pairs;
  if (first === undefined) {
    return { kind: "multicast", pairs: [], wire: null };
  }
  const watch = new WireWatch(context.serverAddress, order.token);
  const tap = await tryWatchFrames(grantPair(context, first), watch);
  const counters = order.pairs.map((pair) => new PairCounter(pair, order.token));
  const sockets: UdpSocket[] = [];
  try {
    for (const [index, pair] of (order.isJoined ? order.pairs : []).entries()) {
      const socket = await context.network.openUdp(grantPair(context, pair));
      socket.onError(() => undefined);
      socket.onDatagram(({ bytes, sourceAddress }) => counters[index]?.receive(bytes, sourceAddress));
      sockets.push(socket);
    }
    context.ready();
    await context.ended;
    await pause(graceMs);
  } finally {
    await Promise.all(sockets.map((socket) => socket.close()));
  }
  const wire = tap === null ? null : await endWatch(tap, watch, order.isJoined);
  return { kind: "multicast", pairs: counters.map((counter) => counter.sighting()), wire };
}

/** The groups were left just now: who manages memberships here asks whether somebody else still wants them. */
async function endWatch(tap: FrameTap, watch: WireWatch, isJoined: boolean) {
  const deadlineMs = performance.now() + (isJoined ? queryWaitMs : 0);
  while (watch.queryCount === 0 && performance.now() < deadlineMs) {
    await pause(100);
  }
  tap.close();
  return watch.sighting(isJoined);
}

/** Waits for the magic packet that the server sends for a MAC that is nobody's. */
export async function probeWake(
  context: ProbeContext,
  order: Extract<ProbeOrder, { readonly kind: "wake" }>,
): Promise<ProbeSighting> {
  const grant = grantSocket(flowWith("wake.magic-packet", { "wake.port": order.port }), {
    role: "sleeping-computer",
    side: "listen",
    interfaceName: context.networkInterface.name,
    localPort: order.port,
  });
  const socket = await context.network.openUdp(grant, { reuseAddress: true });
  let receivedCount = 0;
  let source: Ipv4Address | null = null;
  socket.onError(() => undefined);
  socket.onDatagram(({ bytes, sourceAddress }) => {
    try {
      if (decodeMagicPacket(bytes).mac === order.mac) {
        receivedCount += 1;
        source = sourceAddress;
      }
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
    }
  });
  context.ready();
  await context.ended;
  await pause(graceMs);
  await socket.close();
  return { kind: "wake", receivedCount, sourceAddress: source };
}
