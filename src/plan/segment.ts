import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";

/** What a segment's computers are for: `none` needs no flow, `management` everything but network boot and imaging. */
export type SegmentIntent = "imaging" | "management" | "none";

/** One layer-3 subnet of the site, as this server sees it. */
export type Segment = {
  readonly name: string;
  readonly cidr: Ipv4Subnet;
  readonly intent: SegmentIntent;
  /** The server's own interface in it; `null`: behind a router. */
  readonly interfaceName: string | null;
  /** The server address that its computers must use; `null`: not known yet. */
  readonly serverAddress: Ipv4Address | null;
  /** The router of the segment, where known. */
  readonly gatewayAddress: Ipv4Address | null;
  /** The DHCP relay (giaddr) that was seen or configured. */
  readonly relayAddress: Ipv4Address | null;
  /** Who named it first; the operator's word stands over what was found. */
  readonly origin: "interface" | "agent" | "relay" | "operator";
};

/** A segment as the operator named it. `null`: take what is found. */
export type OperatorSegment = Pick<
  Segment,
  "name" | "cidr" | "intent" | "serverAddress" | "gatewayAddress" | "relayAddress"
>;

export type ServedInterface = {
  readonly name: string;
  readonly address: Ipv4Address;
  readonly prefixLength: number;
};

/** One network of a computer, as its agent reports it. */
export type AgentNetwork = {
  readonly address: Ipv4Address;
  /** `null`: the agent did not say, so the address can only be found in a segment that is known. */
  readonly prefixLength: number | null;
  readonly gatewayAddress: Ipv4Address | null;
  /** Our address on this agent's connection, when the connection comes from this network. */
  readonly serverAddress: Ipv4Address | null;
};

export type RelaySighting = {
  readonly relayAddress: Ipv4Address;
  /** The address of our interface its requests came in on; `null`: configured, and not heard of yet. */
  readonly serverAddress: Ipv4Address | null;
  /** Whether this server answers it: only relays that were named are answered. */
  readonly isConfigured: boolean;
};

export type SegmentSources = {
  readonly interfaces: readonly ServedInterface[];
  readonly agents: readonly AgentNetwork[];
  readonly relays: readonly RelaySighting[];
  readonly operator: readonly OperatorSegment[];
};

/** More than a site has; what is found beyond it is left out, what the operator names never. */
const foundSegmentCountMax = 4096;

/** A relay says its address and not its mask: this is assumed until an agent or the operator says better. */
const assumedPrefixLength = 24;

type Draft = { -readonly [Key in keyof Segment]: Segment[Key] };

/** Drafts by subnet, found by the longest prefix. BOUNDED by `foundSegmentCountMax` and the operator's own. */
class DraftTable {
  readonly #byCidr = new Map<string, Draft>();
  readonly #prefixLengths = new Set<number>();

  values(): Draft[] {
    return [...this.#byCidr.values()];
  }

  get(cidr: Ipv4Subnet): Draft | undefined {
    return this.#byCidr.get(Ipv4Subnet.format(cidr));
  }

  containing(address: Ipv4Address): Draft | undefined {
    const lengths = [...this.#prefixLengths].toSorted((left, right) => right - left);
    for (const prefixLength of lengths) {
      const draft = this.get(Ipv4Subnet.of(address, prefixLength));
      if (draft !== undefined) {
        return draft;
      }
    }
    return undefined;
  }

  /** `undefined` when there are too many. */
  add(found: Pick<Segment, "cidr" | "intent" | "origin"> & Partial<Segment>): Draft | undefined {
    if (found.origin !== "operator" && this.#byCidr.size >= foundSegmentCountMax) {
      return undefined;
    }
    const draft: Draft = {
      name: segmentNameOf(found.cidr),
      interfaceName: null,
      serverAddress: null,
      gatewayAddress: null,
      relayAddress: null,
      ...found,
    };
    this.#byCidr.set(Ipv4Subnet.format(found.cidr), draft);
    this.#prefixLengths.add(found.cidr.prefixLength);
    return draft;
  }
}

/** The name of a segment that nobody has named: `10.2.0.0-24`. */
function segmentNameOf(cidr: Ipv4Subnet): string {
  return `${cidr.address}-${cidr.prefixLength}`;
}

function addInterfaces(drafts: DraftTable, interfaces: readonly ServedInterface[]): void {
  for (const { name, address, prefixLength } of interfaces) {
    const cidr = Ipv4Subnet.of(address, prefixLength);
    const known = drafts.get(cidr);
    if (known === undefined) {
      drafts.add({
        ...{ name, cidr, intent: "imaging", origin: "interface" },
        ...{ interfaceName: name, serverAddress: address },
      });
    } else if (known.interfaceName === null) {
      known.interfaceName = name;
      known.serverAddress ??= address;
    }
  }
}

function addAgents(drafts: DraftTable, agents: readonly AgentNetwork[]): void {
  for (const { address, prefixLength, gatewayAddress, serverAddress } of agents) {
    const known =
      drafts.containing(address) ??
      (prefixLength === null || prefixLength < 8 || prefixLength > 30
        ? undefined
        : drafts.add({
            cidr: Ipv4Subnet.of(address, prefixLength),
            intent: "management",
            origin: "agent",
          }));
    if (known !== undefined) {
      const isInside = gatewayAddress !== null && Ipv4Address.isInside(gatewayAddress, known.cidr);
      known.gatewayAddress ??= isInside ? gatewayAddress : null;
      known.serverAddress ??= serverAddress;
    }
  }
}

function addRelays(drafts: DraftTable, relays: readonly RelaySighting[]): void {
  for (const { relayAddress, serverAddress, isConfigured } of relays) {
    const known =
      drafts.containing(relayAddress) ??
      drafts.add({
        cidr: Ipv4Subnet.of(relayAddress, assumedPrefixLength),
        intent: isConfigured ? "imaging" : "none",
        origin: "relay",
      });
    if (known !== undefined) {
      known.relayAddress ??= relayAddress;
      known.serverAddress ??= serverAddress;
      // A segment where only agents were heard is one to boot in, once its relay is answered.
      if (known.origin === "agent" && isConfigured) {
        known.intent = "imaging";
      }
    }
  }
}

/** Names are what rules, verdicts and files are called by: a second one gets its subnet appended. */
function withUniqueNames(drafts: readonly Draft[]): Segment[] {
  const taken = new Set(drafts.filter(({ origin }) => origin === "operator").map(({ name }) => name));
  return drafts.map((draft) => {
    if (draft.origin === "operator") {
      return draft;
    }
    const name = taken.has(draft.name) ? `${draft.name}-${segmentNameOf(draft.cidr)}` : draft.name;
    taken.add(name);
    return { ...draft, name };
  });
}

/**
 * The segments of a site from everything that knows some. The operator's come first and keep what they say; then the
 * server's own interfaces, the networks of agents, and relays, each adding only what is not known yet. A segment behind
 * a router has the server address that its agents are connected to, or else the one its relay's requests come in on; a
 * server with one interface has no other. `null` where none of this tells: a server with several interfaces must not guess.
 *
 * @returns own interfaces first, then by address
 */
export function computeSegments(sources: SegmentSources): Segment[] {
  const drafts = new DraftTable();
  for (const segment of sources.operator) {
    drafts.add({ ...segment, origin: "operator" });
  }
  addInterfaces(drafts, sources.interfaces);
  addAgents(drafts, sources.agents);
  addRelays(drafts, sources.relays);
  const [only, second] = sources.interfaces;
  for (const draft of drafts.values()) {
    draft.serverAddress ??= second === undefined ? (only?.address ?? null) : null;
  }
  const order = (draft: Draft): number =>
    (draft.interfaceName === null ? 2 ** 32 : 0) + Ipv4Address.toNumber(draft.cidr.address);
  return withUniqueNames(drafts.values().toSorted((left, right) => order(left) - order(right)));
}

/** The segment an address is in: the one with the longest prefix, when segments overlap. */
export function findSegment(segments: readonly Segment[], address: Ipv4Address): Segment | null {
  return segments
    .filter(({ cidr }) => Ipv4Address.isInside(address, cidr))
    .reduce<Segment | null>(
      (best, next) => (best === null || next.cidr.prefixLength > best.cidr.prefixLength ? next : best),
      null,
    );
}
