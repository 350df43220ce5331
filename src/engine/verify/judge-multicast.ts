import type { PairSighting, ProbeCount } from "#wire/probe/probe-sighting.ts";
import type { CellWriter } from "./cell.ts";
import type { MulticastSent, SegmentEvidence } from "./evidence.ts";
import { pathMtuRemedy, reducedPathMtuBytes } from "./path-mtu.ts";
import type { Cell } from "./verdict.ts";

const flow = "imaging.data";
/** Imaging repairs losses; above this share it is slow. */
const lossShareMax = 0.02;

type PairResult = {
  readonly pair: PairSighting;
  readonly small: number;
  readonly large: number;
};

function countOf(counts: readonly ProbeCount[], value: number): number {
  return counts.find((count) => count.value === value)?.count ?? 0;
}

function resultOf(pair: PairSighting, sent: MulticastSent): PairResult {
  const large = countOf(pair.bySize, sent.largeSizeBytes);
  return { pair, large, small: countOf(pair.byTtl, sent.ttl) - large };
}

function nameOf({ pair }: PairResult): string {
  return `${pair.group}:${pair.port}`;
}

/** Lowest TTL of those tried that arrived; routers on the way are one fewer. */
function lowestTtl(pairs: readonly PairSighting[]): number | null {
  const heard = pairs.flatMap((pair) =>
    pair.byTtl.filter(({ count }) => count > 0).map(({ value }) => value),
  );
  return heard.length === 0 ? null : Math.min(...heard);
}

/** Routers that imaging crosses to this segment; `null` while nothing of it has arrived there. */
export function countRouters({ multicast }: Pick<SegmentEvidence, "multicast">): number | null {
  if (multicast?.type !== "seen") {
    return null;
  }
  const { wire, pairs } = multicast.sighting;
  const lowest = lowestTtl(pairs);
  return wire?.routerCount ?? (lowest === null ? null : lowest - 1);
}

function judgeSilence(writer: CellWriter, results: readonly PairResult[], deaf: readonly PairResult[]): Cell {
  const { multicastSent: sent, segment } = writer.evidence;
  const needed = lowestTtl(results.map(({ pair }) => pair));
  const names = deaf.map(nameOf).join(", ");
  if (needed !== null && needed > sent.ttl) {
    return writer.fault(flow, "blocked", {
      evidence: `nothing arrives on ${names} with TTL ${sent.ttl}, and with TTL ${needed} it does`,
      causeCode: "ttl-too-small",
      cause: `${needed - 1} router${needed === 2 ? " is" : "s are"} between the server and ${writer.place()}, more than imaging.ttl ${sent.ttl} allows`,
      remedy: `portolan settings set imaging.ttl ${needed}`,
    });
  }
  const evidence =
    `the prober joined ${names}; of ${sent.smallCount + sent.largeCount} numbered datagrams to each, TTL ${sent.ttl}, none came` +
    (deaf.length === results.length ? "" : `; the other ${results.length - deaf.length} pairs pass`);
  if (segment.interfaceName !== null) {
    return writer.fault(flow, "blocked", {
      evidence,
      causeCode: "filtered",
      cause:
        "the switch does not forward these groups to this port, or a packet filter on either end drops them",
      remedy: [writer.remedy(flow, "to-segment"), writer.deviceLine("querier")]
        .filter((part) => part !== null)
        .join("\n"),
    });
  }
  return writer.fault(flow, "blocked", {
    evidence,
    causeCode: "multicast-not-routed",
    cause: `no router carries these groups from the server to ${writer.place()}, or ${writer.device()} drops them`,
    remedy: [writer.remedy(flow, "to-segment"), writer.deviceLine("multicast-routing")]
      .filter((part) => part !== null)
      .join("\n"),
  });
}

function describePass(writer: CellWriter, results: readonly PairResult[]): string {
  const { multicast } = writer.evidence;
  const wire = multicast?.type === "seen" ? multicast.sighting.wire : null;
  const sources = [...new Set(results.map(({ pair }) => pair.sourceAddress))].join(", ");
  const reordered = results.reduce((sum, { pair }) => sum + pair.reordered, 0);
  const routerCount = countRouters(writer.evidence) ?? 0;
  const query =
    wire === null
      ? "whether there is an IGMP querier cannot be seen from here"
      : wire.queryCount > 0
        ? `IGMP querier ${wire.querierAddress}`
        : "no IGMP query was heard, not even after leaving the groups";
  return (
    `${results.length} (group, port) pairs from ${sources}, ${routerCount} router${routerCount === 1 ? "" : "s"} on the way, ` +
    `${reordered} out of order; ${query}`
  );
}

/** Nobody asks who listens, and the switch forwards to listeners only: they are forgotten after 260 seconds. */
function isQuerierMissing(writer: CellWriter): boolean {
  const { multicast, flood } = writer.evidence;
  const wire = multicast?.type === "seen" ? multicast.sighting.wire : null;
  const watched = flood?.type === "seen" ? flood.sighting.wire : null;
  return wire !== null && watched !== null && wire.queryCount === 0 && watched.floodedCount === 0;
}

export function judgeMulticast(writer: CellWriter): Cell {
  const { multicast, multicastSent: sent } = writer.evidence;
  if (multicast === null || multicast.type === "not-tried") {
    return writer.notTested(flow, multicast?.reason ?? "it was not asked");
  }
  const results = multicast.sighting.pairs.map((pair) => resultOf(pair, sent));
  const deaf = results.filter(({ small, large }) => small + large <= 0);
  if (deaf.length > 0) {
    return judgeSilence(writer, results, deaf);
  }
  const evidence = describePass(writer, results);
  if (results.every(({ large }) => large === 0)) {
    return writer.fault(flow, "degraded", {
      evidence: `${evidence}; but no datagram that fills a packet of ${sent.largeSizeBytes} bytes came`,
      causeCode: "path-mtu",
      cause: `a link on the path carries less than ${sent.largeSizeBytes} bytes, and multicast is not fragmented on the way`,
      remedy: pathMtuRemedy(writer.evidence, reducedPathMtuBytes(writer.evidence) ?? 1400),
    });
  }
  const expected = results.length * (sent.smallCount + sent.largeCount);
  const lost = expected - results.reduce((sum, { small, large }) => sum + small + large, 0);
  if (lost / expected > lossShareMax) {
    return writer.fault(flow, "degraded", {
      evidence: `${evidence}; ${lost} of ${expected} datagrams were lost`,
      causeCode: "packet-loss",
      cause: "a link or switch on the path drops multicast; storm control is a likely one",
      remedy: null,
    });
  }
  if (isQuerierMissing(writer)) {
    return writer.fault(flow, "degraded", {
      evidence: `${evidence}; the switch forwards groups to listeners only`,
      causeCode: "no-querier",
      cause:
        "IGMP snooping without a querier: memberships are forgotten after 260 s, and imaging stops in the middle",
      remedy: writer.deviceLine("querier"),
    });
  }
  return writer.pass(flow, null, `${evidence}; ${lost} of ${expected} datagrams lost`);
}
