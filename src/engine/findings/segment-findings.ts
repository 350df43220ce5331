import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { RemedyBook } from "../verify/cell.ts";
import { leaseOffers } from "../verify/judge-dhcp.ts";
import type { SegmentEvidence } from "../verify/evidence.ts";
import type { Cell, FaultCause } from "../verify/verdict.ts";
import { rogueServer, severalServers } from "./dhcp-watch.ts";
import type { Finding, FindingKind } from "./finding.ts";

/** Causes of cells that have a name as a finding too. */
const kindOfCause: Partial<Record<FaultCause, FindingKind>> = {
  "relay-without-giaddr": "relay-without-giaddr",
  "relay-not-listed": "relay-not-listed",
  "dhcp-server-missing": "dhcp-server-missing",
  "ttl-too-small": "ttl-too-small",
  "path-mtu": "path-mtu",
  "no-querier": "no-igmp-querier",
  "port-open": "port-open",
};

/** Everything that a verification has found wrong with a segment, apart from flows that simply do not pass. */
export function findInEvidence(
  evidence: SegmentEvidence,
  cells: readonly Cell[],
  remedies: Pick<RemedyBook, "forDevice">,
): Finding[] {
  const found = [
    ...cells.flatMap((cell) => findInCell(cell)),
    ...findServers(evidence),
    ...findChecksums(evidence),
    ...findQuerier(evidence, remedies),
  ];
  const kinds = new Set<FindingKind>();
  return found.filter(({ kind }) => {
    const isFirst = !kinds.has(kind);
    kinds.add(kind);
    return isFirst;
  });
}

function findInCell(cell: Cell): Finding[] {
  const kind = cell.causeCode === null ? undefined : kindOfCause[cell.causeCode];
  return kind === undefined
    ? []
    : [
        {
          kind,
          severity: cell.verdict === "blocked" ? "fault" : "warning",
          subject: { type: "segment", name: cell.segment },
          evidence: `${cell.flow}: ${cell.evidence}`,
          cause: cell.cause ?? "",
          remedy: cell.remedy,
        },
      ];
}

function findServers({ dhcp, segment, prober }: SegmentEvidence): Finding[] {
  if (dhcp === null || dhcp.type === "not-tried") {
    return [];
  }
  const { offers } = dhcp.sighting;
  const leases = leaseOffers(offers);
  const foreign = leases.find((offer) => !Ipv4Address.isInside(offer.yourAddress, segment.cidr));
  const lessors = [...new Set(leases.map((offer) => offer.serverIdentifier ?? offer.sourceAddress))];
  const strangers = offers.filter(
    (offer) => offer.isBootServer && offer.serverIdentifier !== prober?.serverAddress,
  );
  const findings: Finding[] = [];
  if (foreign !== undefined) {
    const server = foreign.serverIdentifier ?? foreign.sourceAddress;
    const text = `${server} offers ${foreign.yourAddress}, which is not of ${Ipv4Subnet.format(segment.cidr)}`;
    findings.push(rogueServer(segment, text, server));
  } else if (lessors.length > 1) {
    findings.push(severalServers(segment, lessors));
  }
  const [stranger] = strangers;
  if (stranger !== undefined) {
    findings.push({
      kind: "rogue-boot-server",
      severity: "warning",
      subject: { type: "segment", name: segment.name },
      evidence: `${stranger.serverIdentifier ?? stranger.sourceAddress} offers to boot ${stranger.bootFile ?? "something"} too`,
      cause: "a second boot server answers in this segment; firmware takes whichever offer it likes",
      remedy: `find the device with the address ${stranger.sourceAddress} and switch its boot server off, unless it is another server of this site`,
    });
  }
  return findings;
}

function findChecksums({ multicast, segment, prober }: SegmentEvidence): Finding[] {
  const wire = multicast?.type === "seen" ? multicast.sighting.wire : null;
  if (wire === null || wire.wrongChecksums === 0) {
    return [];
  }
  const total = wire.wrongChecksums + wire.rightChecksums;
  return [
    {
      kind: "bad-checksums",
      severity: "warning",
      subject: { type: "segment", name: segment.name },
      evidence: `${wire.wrongChecksums} of ${total} datagrams of the server arrive with an unfinished UDP checksum`,
      cause:
        "the server's network card is told to compute checksums and does not (checksum offload on a virtual link); boot ROMs drop such packets",
      remedy: `on the server: ethtool -K ${segment.interfaceName ?? prober?.interfaceName ?? "INTERFACE"} tx off`,
    },
  ];
}

/** Also where nothing is pruned yet: a switch that begins to snoop stops imaging after four minutes. */
function findQuerier(
  { multicast, flood, segment }: SegmentEvidence,
  remedies: Pick<RemedyBook, "forDevice">,
): Finding[] {
  const wire = multicast?.type === "seen" ? multicast.sighting.wire : null;
  const watched = flood?.type === "seen" ? flood.sighting.wire : null;
  const isHeard = multicast?.type === "seen" && multicast.sighting.pairs.some(({ received }) => received > 0);
  if (wire === null || watched === null || wire.queryCount > 0 || !isHeard) {
    return [];
  }
  return [
    {
      kind: "no-igmp-querier",
      severity: "notice",
      subject: { type: "segment", name: segment.name },
      evidence: `no IGMP query was heard, not even after leaving a group; ${watched.floodedCount} datagrams of groups that nobody had joined came all the same`,
      cause:
        "there is no querier, so switches flood every group to every port; one that snoops without a querier forgets listeners after 260 s",
      remedy: remedies.forDevice("querier"),
    },
  ];
}
