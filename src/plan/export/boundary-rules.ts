import { Ipv4Address, type Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { Flow, FlowId, FlowRole } from "../flow.ts";
import type { Segment } from "../segment.ts";
import { type PortSpan, portSpans, withoutPorts } from "./port-spans.ts";

export type RuleDirection = "to-server" | "to-segment";

/**
 * One thing that must pass between the server and one segment. A filter that keeps track of connections needs exactly
 * these rules and "established"; one that does not needs the answers of `isAnswered` rules too.
 */
export type BoundaryRule = {
  /** Stable, because verdicts and lines of device files name it: `boot.tftp/to-server`. */
  readonly id: string;
  readonly flowId: FlowId;
  /** Other flows whose packets look the same to a filter: they pass by this rule and stop with it. */
  readonly alsoFor: readonly FlowId[];
  readonly direction: RuleDirection;
  readonly title: string;
  /** One sentence that a network engineer accepts. */
  readonly reason: string;
  readonly transport: "udp" | "tcp";
  /** `null`: any address. */
  readonly source: Ipv4Subnet | null;
  /** `null`: any port. */
  readonly sourcePorts: readonly PortSpan[] | null;
  /** `null`: any address, or the groups where there are some. */
  readonly destination: Ipv4Subnet | null;
  readonly destinationPorts: readonly PortSpan[];
  /** Destination groups; empty for unicast and broadcast. */
  readonly groups: readonly Ipv4Address[];
  /** Answers come back between the same addresses and ports, so connection tracking lets them through. */
  readonly isAnswered: boolean;
};

/** `local`: routers do not forward multicast between the server and the segment, so no rule may pretend they do. */
export type BoundaryMulticast = "routed" | "local";

/** The rules of a segment cannot be computed. The message names the segment and the way out. */
export class BoundaryError extends Error {
  readonly code = "no-server-address";

  constructor(segmentName: string) {
    super(
      `it is not known which server address the computers of segment ${segmentName} use; ` +
        `say it: portolan segment set ${segmentName} --server-address ADDRESS`,
    );
    this.name = "BoundaryError";
  }
}

const segmentRoles: readonly FlowRole[] = ["firmware", "agent", "preboot"];

/** Flows that exist only where multicast is forwarded: an answer is only sent to who asked by multicast. */
function needsMulticast(flow: Flow): boolean {
  return flow.groups.length > 0 || flow.id === "agent.discovery-reply";
}

function hostSubnet(address: Ipv4Address): Ipv4Subnet {
  return { address, prefixLength: 32 };
}

const port67 = portSpans([67]);
const port68 = portSpans([68]);

type RuleEnds = Pick<BoundaryRule, "source" | "sourcePorts" | "destination" | "destinationPorts">;

function ruleOf(
  flow: Flow,
  direction: RuleDirection,
  ends: RuleEnds,
  given: Partial<Pick<BoundaryRule, "reason" | "groups" | "isAnswered">> = {},
): BoundaryRule {
  return {
    id: `${flow.id}/${direction}`,
    flowId: flow.id,
    alsoFor: [],
    direction,
    title: flow.title,
    reason: flow.purpose,
    transport: flow.transport,
    ...ends,
    groups: [],
    isAnswered: false,
    ...given,
  };
}

/** Broadcasts on the server's own segment; between relay and server, from port 67 to port 67, everywhere else. */
function dhcpRule(flow: Flow, segment: Segment, server: Ipv4Subnet): BoundaryRule {
  const isRequest = flow.id === "boot.dhcp";
  const direction = isRequest ? "to-server" : "to-segment";
  if (segment.interfaceName !== null) {
    const [destinationPorts, sourcePorts] = isRequest ? [port67, port68] : [port68, port67];
    return ruleOf(flow, direction, {
      ...{ source: isRequest ? null : server, sourcePorts, destination: null, destinationPorts },
    });
  }
  const relay = segment.relayAddress ?? segment.gatewayAddress;
  const relaySubnet = relay === null ? segment.cidr : hostSubnet(relay);
  return isRequest
    ? ruleOf(
        flow,
        direction,
        { source: null, sourcePorts: port67, destination: server, destinationPorts: port67 },
        {
          reason:
            "The DHCP relay of the segment passes on what booting computers ask. The source is open, because a relay " +
            "may send from any of its own addresses.",
        },
      )
    : ruleOf(
        flow,
        direction,
        { source: server, sourcePorts: port67, destination: relaySubnet, destinationPorts: port67 },
        {
          reason:
            "The boot offer goes to the address of the relay in the segment (giaddr), which need not be the address " +
            "that the request came from (RFC 2131 §4.1).",
        },
      );
}

function tftpDataRule(flow: Flow, segment: Segment, server: Ipv4Subnet): BoundaryRule | null {
  // From port 69 itself it is the answer to the read request, and passes as one.
  return flow.dynamic
    ? ruleOf(
        flow,
        "to-segment",
        {
          source: server,
          sourcePorts: portSpans(flow.ports),
          destination: segment.cidr,
          destinationPorts: portSpans(flow.ports),
        },
        { isAnswered: true },
      )
    : null;
}

/** PostgreSQL is often on the same machine. */
const databasePort = 5432;

/**
 * A dynamic port is never one that another program of the server listens on, so a range must open none of those. It
 * must not open other flows' ports either: each flow has its own rule, and stops when that is taken away.
 */
function closedPorts(flows: readonly Flow[]): readonly PortSpan[] {
  const fixed = flows.filter(
    ({ dynamic, transport, to }) => !dynamic && transport === "tcp" && to.includes("server"),
  );
  return portSpans([databasePort, ...fixed.flatMap(({ ports }) => ("from" in ports ? [] : ports))]);
}

function generalRule(
  flow: Flow,
  segment: Segment,
  server: Ipv4Subnet,
  closed: readonly PortSpan[],
): BoundaryRule | null {
  const isMulticast = flow.groups.length > 0;
  const isRange = flow.dynamic && flow.to.includes("server");
  const ports = {
    sourcePorts: flow.sourcePorts === null ? null : portSpans(flow.sourcePorts),
    destinationPorts: isRange ? withoutPorts(portSpans(flow.ports), closed) : portSpans(flow.ports),
  };
  const given = { groups: flow.groups, isAnswered: !isMulticast && flow.id !== "agent.discovery-reply" };
  if (segmentRoles.includes(flow.from) && flow.to.includes("server")) {
    if (flow.carrier !== null) {
      // It comes to a port that the carrier's rule has opened.
      return null;
    }
    const destination = isMulticast ? null : server;
    return ruleOf(flow, "to-server", { source: segment.cidr, destination, ...ports }, given);
  }
  if (flow.from === "server" && flow.to.some((role) => segmentRoles.includes(role))) {
    const destination = isMulticast ? null : segment.cidr;
    return ruleOf(flow, "to-segment", { source: server, destination, ...ports }, given);
  }
  // Operators are not in the segment, and a sleeping computer is woken by a neighbour: neither crosses this boundary.
  return null;
}

/** Broadcast or relayed: one-way flows, which connection tracking must not take for a conversation. */
export function isDhcpRule({ flowId }: BoundaryRule): boolean {
  return flowId === "boot.dhcp" || flowId === "boot.dhcp-reply";
}

function ruleFor(
  flow: Flow,
  segment: Segment,
  server: Ipv4Subnet,
  closed: readonly PortSpan[],
): BoundaryRule | null {
  if (flow.id === "boot.dhcp" || flow.id === "boot.dhcp-reply") {
    return dhcpRule(flow, segment, server);
  }
  return flow.id === "boot.tftp-data"
    ? tftpDataRule(flow, segment, server)
    : generalRule(flow, segment, server, closed);
}

/**
 * What must pass between the server and one segment, in the order of the flows: only that, and nothing for flows
 * that are off. For a segment the server has an interface in, the boundary is the server's own firewall.
 *
 * @throws BoundaryError `no-server-address`
 */
export function computeBoundaryRules(
  flows: readonly Flow[],
  segment: Segment,
  options: { readonly multicast?: BoundaryMulticast } = {},
): BoundaryRule[] {
  if (segment.serverAddress === null) {
    throw new BoundaryError(segment.name);
  }
  const server = hostSubnet(segment.serverAddress);
  const closed = closedPorts(flows);
  return flows
    .filter((flow) => flow.state === "on" && flow.intents.includes(segment.intent))
    .filter((flow) => options.multicast !== "local" || !needsMulticast(flow))
    .map((flow) => ruleFor(flow, segment, server, closed))
    .filter((rule) => rule !== null)
    .reduce(joinEqual, []);
}

/** Two rules that match the same packets would hide each other: take one away, and nothing changes. */
function joinEqual(rules: readonly BoundaryRule[], next: BoundaryRule): BoundaryRule[] {
  const matchOf = ({
    transport,
    source,
    sourcePorts,
    destination,
    destinationPorts,
    groups,
  }: BoundaryRule): string =>
    JSON.stringify([transport, source, sourcePorts, destination, destinationPorts, groups]);
  const equal = rules.find((rule) => matchOf(rule) === matchOf(next));
  if (equal === undefined) {
    return [...rules, next];
  }
  const joined = {
    ...equal,
    alsoFor: [...equal.alsoFor, next.flowId],
    title: `${equal.title}, ${next.title.toLowerCase()}`,
    reason: `${equal.reason} ${next.reason}`,
  };
  return rules.map((rule) => (rule === equal ? joined : rule));
}
