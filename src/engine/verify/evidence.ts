import type { RelayTrace } from "../boot/boot-event.ts";
import type { Flow, FlowId } from "#plan/flow.ts";
import type { Segment } from "#plan/segment.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { ProbeKind } from "#wire/probe/probe-order.ts";
import type { ProbeSighting } from "#wire/probe/probe-sighting.ts";

export type SightingOf<Kind extends ProbeKind> = Extract<ProbeSighting, { readonly kind: Kind }>;

/** What an agent saw of one order, or why it was not tried. `null`: it was not asked, because no flow needs it. */
export type Sighted<Kind extends ProbeKind> =
  | { readonly type: "seen"; readonly sighting: SightingOf<Kind> }
  | { readonly type: "not-tried"; readonly reason: string }
  | null;

/** What the server saw of one probe at its own end. */
export type ServerArrival = {
  readonly sourceAddress: Ipv4Address;
  readonly sourcePort: number;
  readonly interfaceName: string;
  readonly relay: RelayTrace | null;
  readonly silence: "relay-not-listed" | null;
};

/** Datagrams that the server has sent to each pair. */
export type MulticastSent = {
  readonly ttl: number;
  readonly smallCount: number;
  readonly largeCount: number;
  /** Size of a whole IP packet of those that fill the server's link. */
  readonly largeSizeBytes: number;
  /** TTLs beside `ttl` that were tried on the first pair, with how many datagrams each. */
  readonly otherTtls: readonly number[];
  readonly otherTtlCount: number;
};

/** Who tried it, and as whom the server saw it. */
export type Prober = {
  readonly computerId: string;
  readonly name: string;
  readonly environment: "preboot" | "os";
  /** Its address as the server sees its control connection. */
  readonly address: Ipv4Address;
  readonly serverAddress: Ipv4Address;
  /** Our interface it is connected through; `null`: not one that the server serves. */
  readonly interfaceName: string | null;
};

/** Everything that is known of one segment when it is judged. */
export type SegmentEvidence = {
  readonly segment: Segment;
  /** `null`: nobody there could try anything. */
  readonly prober: Prober | null;
  readonly flows: readonly Flow[];
  /** Flows that the server itself has no socket for, with the reason: no device on the way is to blame. */
  readonly unserved: readonly { readonly flowIds: readonly FlowId[]; readonly reason: string }[];
  /** Ports that no computer needs, by name. */
  readonly closedPorts: readonly { readonly name: ClosedPortName; readonly port: number }[];
  readonly expectedFile: { readonly sizeBytes: number; readonly sha256: string };
  /** The part of a boot file that was to come; `null`: there are no boot files, any answer will do. */
  readonly expectedPart: { readonly sizeBytes: number; readonly sha256: string } | null;
  readonly expectedManifest: { readonly sha256: string };
  readonly control: Sighted<"control">;
  readonly closed: Sighted<"closed-ports">;
  readonly http: Sighted<"http">;
  readonly tftp: Sighted<"tftp">;
  readonly dhcp: Sighted<"dhcp">;
  readonly bootServer: Sighted<"boot-server">;
  readonly discovery: Sighted<"discovery">;
  readonly transfer: Sighted<"transfer">;
  readonly transferPort: number | null;
  readonly remote: Sighted<"remote">;
  readonly remotePort: number | null;
  /** The server has seen the ticket of the remote connection. */
  readonly isRemoteJoined: boolean;
  readonly flood: Sighted<"multicast">;
  readonly multicast: Sighted<"multicast">;
  readonly multicastSent: MulticastSent;
  readonly wake: Sighted<"wake">;
  /** What the server saw of each probe that it can tell apart from other traffic. */
  readonly arrivals: {
    readonly discover: readonly ServerArrival[];
    readonly bootServer: readonly ServerArrival[];
    readonly discovery: readonly ServerArrival[];
    readonly tftp: readonly ServerArrival[];
  };
};

export type ClosedPortName = "console" | "database" | "ssh" | "unused";
