import { describeCircuit } from "../boot/describe-trace.ts";
import type { RelayTrace } from "../boot/boot-event.ts";
import { findSegment, type Segment } from "#plan/segment.ts";
import { Ipv4Address, type Ipv4Subnet, Ipv4Subnet as Subnet } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import type { Finding } from "./finding.ts";

/** One DHCP message of a computer, as it came to port 67. */
export type DhcpObservation = {
  readonly atMs: number;
  readonly interfaceName: string;
  /** The subnet of that interface. */
  readonly subnet: Ipv4Subnet;
  readonly sourceAddress: Ipv4Address;
  readonly mac: MacAddress;
  readonly isBootClient: boolean;
  readonly message: "discover" | "request" | "other";
  readonly secondsElapsed: number;
  readonly relay: RelayTrace | null;
  /** Option 54 of a REQUEST: whose lease the computer takes. */
  readonly selectedServer: Ipv4Address | null;
  readonly requestedAddress: Ipv4Address | null;
};

type Attempt = { readonly lastSeenAtMs: number };
type Lessor = { readonly serverAddress: Ipv4Address; readonly lastSeenAtMs: number };

/** Firmware that begins to ask says so with 0, iPXE with 4; the next steps of a switch port are at 15 and 30 seconds. */
const lateSeconds = 12;
/** After so long without a word a packet begins a new boot. */
const attemptGapMs = 90_000;
const attemptCountMax = 20_000;
const lessorCountMax = 16;
const placeCountMax = 4096;
/** A server that leased longer ago than this may have been replaced. */
const lessorMemoryMs = 24 * 3_600_000;

/**
 * Watches what computers ask, without asking anything: late first packets, relays that leave no trace, and more than one
 * server whose leases are taken.
 *
 * BOUNDED: 20 000 attempts by MAC, 16 lessors in each of 4096 places; the oldest go.
 */
export class DhcpWatch {
  readonly #startedAtMs: number;
  readonly #attempts = new Map<MacAddress, Attempt>();
  /** Keyed by interface, or by relay. */
  readonly #lessors = new Map<string, Map<Ipv4Address, Lessor>>();

  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
  }

  receive(seen: DhcpObservation, segments: readonly Segment[]): Finding[] {
    const place = placeOf(seen, segments);
    const findings = [this.#lateStart(seen, place), missingTrace(seen, segments), this.#lessor(seen, place)];
    return findings.filter((finding) => finding !== null);
  }

  /** A boot whose first packet that reached us was not the first that was sent. */
  #lateStart(seen: DhcpObservation, place: Place): Finding | null {
    const previous = this.#attempts.get(seen.mac);
    this.#attempts.delete(seen.mac);
    this.#attempts.set(seen.mac, { lastSeenAtMs: seen.atMs });
    dropOldest(this.#attempts, attemptCountMax);
    const isFirst = previous === undefined || seen.atMs - previous.lastSeenAtMs > attemptGapMs;
    // We must have been there to hear the ones before.
    const wasListening = seen.atMs - seen.secondsElapsed * 1000 > this.#startedAtMs;
    if (
      !isFirst ||
      !wasListening ||
      !seen.isBootClient ||
      seen.message !== "discover" ||
      seen.secondsElapsed < lateSeconds
    ) {
      return null;
    }
    const port = seen.relay?.circuitId ?? null;
    return {
      kind: "spanning-tree-delay",
      severity: "warning",
      subject: { type: "computer", mac: seen.mac },
      evidence:
        `the first DISCOVER that arrived says it has been asking for ${seen.secondsElapsed} s; ` +
        `those before did not get through (${place.name}${port === null ? "" : `, switch port ${describeCircuit(port)}`})`,
      cause:
        "its switch port does not forward for a time after the link comes up: spanning tree without edge port (PortFast)",
      remedy: "on the switch, for this port: spanning-tree portfast (or: spanning-tree port type edge)",
    };
  }

  #lessor(seen: DhcpObservation, place: Place): Finding | null {
    const { selectedServer, requestedAddress } = seen;
    if (seen.message !== "request" || selectedServer === null) {
      return null;
    }
    const lessors = this.#lessors.get(place.name) ?? new Map<Ipv4Address, Lessor>();
    this.#lessors.set(place.name, lessors);
    dropOldest(this.#lessors, placeCountMax);
    lessors.set(selectedServer, { serverAddress: selectedServer, lastSeenAtMs: seen.atMs });
    dropOldest(lessors, lessorCountMax);
    if (
      place.segment !== null &&
      requestedAddress !== null &&
      !Ipv4Address.isInside(requestedAddress, place.segment.cidr)
    ) {
      return rogueServer(
        place.segment,
        `${selectedServer} has given ${seen.mac} the address ${requestedAddress}, which is not of ${Subnet.format(place.segment.cidr)}`,
        selectedServer,
      );
    }
    const recent = [...lessors.values()].filter(
      ({ lastSeenAtMs }) => seen.atMs - lastSeenAtMs < lessorMemoryMs,
    );
    return recent.length < 2 || place.segment === null
      ? null
      : severalServers(
          place.segment,
          recent.map(({ serverAddress }) => serverAddress),
        );
  }
}

type Place = { readonly name: string; readonly segment: Segment | null };

/** The segment that a request comes from: of its relay, of its sender, or of the interface it came in on. */
function placeOf(seen: DhcpObservation, segments: readonly Segment[]): Place {
  const address = seen.relay?.address ?? null;
  const segment =
    address === null
      ? (segments.find(({ interfaceName }) => interfaceName === seen.interfaceName) ?? null)
      : findSegment(segments, address);
  return { name: segment?.name ?? address ?? seen.interfaceName, segment };
}

/** Passed on by something that is no DHCP relay: no answer can find its way back. */
function missingTrace(seen: DhcpObservation, segments: readonly Segment[]): Finding | null {
  const { sourceAddress, subnet, relay, message } = seen;
  if (
    relay !== null ||
    message !== "discover" ||
    sourceAddress === Ipv4Address.any ||
    Ipv4Address.isInside(sourceAddress, subnet)
  ) {
    return null;
  }
  const segment = findSegment(segments, sourceAddress);
  return {
    kind: "relay-without-giaddr",
    severity: "fault",
    subject: { type: "segment", name: segment?.name ?? sourceAddress },
    evidence: `a DISCOVER of ${seen.mac} came from ${sourceAddress} with giaddr 0.0.0.0`,
    cause:
      "what forwards DHCP there does not write its own address into giaddr (RFC 1542 §4.1.1), so no answer finds the way back",
    remedy: "use a DHCP relay (ip helper-address, dhcrelay) in place of a plain forwarder of UDP broadcasts",
  };
}

export function rogueServer(segment: Segment, evidence: string, serverAddress: Ipv4Address): Finding {
  return {
    kind: "rogue-dhcp-server",
    severity: "fault",
    subject: { type: "segment", name: segment.name },
    evidence,
    cause: `a DHCP server that does not belong to ${segment.name} answers there`,
    remedy: `find the device with the address ${serverAddress} and switch its DHCP server off; on the switch: ip dhcp snooping`,
  };
}

export function severalServers(segment: Segment, servers: readonly Ipv4Address[]): Finding {
  const names = [...new Set(servers)].toSorted();
  return {
    kind: "several-dhcp-servers",
    severity: "warning",
    subject: { type: "segment", name: segment.name },
    evidence: `addresses come from ${names.join(" and ")}`,
    cause: "two DHCP servers lease in this segment: a pair by intent, or one that should not be there",
    remedy: "if one of them does not belong there, switch it off; on the switch: ip dhcp snooping",
  };
}

function dropOldest<Key, Value>(map: Map<Key, Value>, countMax: number): void {
  const [oldest] = map.keys();
  if (map.size > countMax && oldest !== undefined) {
    map.delete(oldest);
  }
}
