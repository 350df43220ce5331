import { Ipv4Address, type Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { NetworkCard } from "#wire/control/network-card.ts";

export type WakeCard = Pick<NetworkCard, "address" | "prefixLength" | "isWired" | "isUp">;

/** A computer whose agent is connected now. */
export type WakePeer = {
  readonly computerId: string;
  readonly environment: "preboot" | "os";
  /** Since when, epoch ms. The longer, the likelier it stays. */
  readonly connectedSinceMs: number;
  readonly cards: readonly WakeCard[];
};

export type WakerChoice = {
  readonly computerIds: readonly string[];
  /** `known-segment`: neighbours on a segment where the sleeping computer was last seen. */
  readonly reason: "known-segment" | "every-segment" | "nobody-awake";
};

/** Two, so that one that has just lost its power does not cost a retry. */
const wakersPerSegment = 2;
/** For a computer that never said where it is. */
const segmentCountMax = 64;

function subnetOf({ address, prefixLength }: WakeCard): Ipv4Subnet | null {
  if (address === null || prefixLength === 0) {
    return null;
  }
  const mask = (0xffffffff << (32 - prefixLength)) >>> 0;
  const network = (Ipv4Address.toNumber(address) & mask) >>> 0;
  return { address: Ipv4Address.fromNumber(network), prefixLength };
}

function nameOf({ address, prefixLength }: Ipv4Subnet): string {
  return `${address}/${prefixLength}`;
}

/** The last address of the segment of each card, which a directed broadcast goes to. */
export function broadcastsOf(cards: readonly WakeCard[]): Ipv4Address[] {
  const found = cards.flatMap((card) => {
    const subnet = subnetOf(card);
    return subnet === null || subnet.prefixLength > 30
      ? []
      : [Ipv4Address.fromNumber(Ipv4Address.toNumber(subnet.address) + 2 ** (32 - subnet.prefixLength) - 1)];
  });
  return [...new Set(found)];
}

/** Installed systems before preboot, which may end any minute; then who stands longest; then by id, for one answer. */
function comparePeers(left: WakePeer, right: WakePeer): number {
  const byEnvironment = Number(left.environment === "preboot") - Number(right.environment === "preboot");
  return (
    byEnvironment ||
    left.connectedSinceMs - right.connectedSinceMs ||
    (left.computerId < right.computerId ? -1 : 1)
  );
}

/**
 * Who sends the magic packet for a sleeping computer: awake agents with a wired card that is up on a segment where it was
 * last seen, or on every segment when nothing is known of it.
 */
export function chooseWakers(cards: readonly WakeCard[], peers: readonly WakePeer[]): WakerChoice {
  /** Keyed by subnet. BOUNDED by the peers. */
  const bySegment = new Map<string, WakePeer[]>();
  for (const peer of peers.toSorted(comparePeers)) {
    for (const card of peer.cards.filter(({ isWired, isUp }) => isWired && isUp)) {
      const subnet = subnetOf(card);
      if (subnet !== null) {
        const members = bySegment.get(nameOf(subnet)) ?? [];
        bySegment.set(nameOf(subnet), [...members, peer]);
      }
    }
  }
  const lastSeen = new Set(
    cards.flatMap((card) => {
      const subnet = subnetOf(card);
      return subnet === null ? [] : [nameOf(subnet)];
    }),
  );
  const isKnown = lastSeen.size > 0;
  const segments = isKnown
    ? [...lastSeen].flatMap((name) => bySegment.get(name) ?? [])
    : [...bySegment.values()].slice(0, segmentCountMax).flatMap((members) => members.slice(0, 1));
  const count = isKnown ? wakersPerSegment * lastSeen.size : segmentCountMax;
  const computerIds = [...new Set(segments.map(({ computerId }) => computerId))].slice(0, count);
  const reason = computerIds.length === 0 ? "nobody-awake" : isKnown ? "known-segment" : "every-segment";
  return { computerIds, reason };
}
