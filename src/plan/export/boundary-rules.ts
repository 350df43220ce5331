import { Ipv4Address, type Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { Flow, FlowId, FlowPorts, FlowRole } from "../flow.ts";
import type { Segment } from "../segment.ts";

export type RuleDirection = "to-server" | "to-segment";

/**
 * One thing that must pass between the server and one segment. A filter that keeps track of connections needs exactly
 * these rules and "established"; one that does not needs the answers of `isAnswered` rules too.
 */
export type BoundaryRule = {
  /** Stable, because verdicts and lines of device files name it: `boot.tftp/to-server`. */
  readonly id: string;
  readonly flowId: FlowId;
  readonly direction: RuleDirection;
  readonly title: string;
  /** One sentence that a network engineer accepts. */
  readonly reason: string;
  readonly transport: "udp" | "tcp";
  /** `null`: any address. */
  readonly source: Ipv4Subnet | null;
  /** `null`: any port. */
  readonly sourcePorts: FlowPorts | null;
  /** `null`: any address, or the groups where there are some. */
  readonly destination: Ipv4Subnet | null;
  readonly destinationPorts: FlowPorts;
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

/** What a segment for management alone has no use for. */
function isForImaging(id: FlowId): boolean {
  return id.startsWith("boot.") || id === "imaging.data";
}

/** Flows that exist only where multicast is forwarded: an answer is only sent to who asked by multicast. */
function needsMulticast(flow: Flow): boolean {
  return flow.groups.length > 0 || flow.id === "agent.discovery-reply";
}

function hostSubnet(address: Ipv4Address): Ipv4Subnet {
  return { address, prefixLength: 32 };
}

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
    const destinationPorts = isRequest ? flow.ports : [68];
    const sourcePorts = isRequest ? [68] : flow.sourcePorts;
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
        { source: null, sourcePorts: [67], destination: server, destinationPorts: [67] },
        {
          reason:
            "The segment's DHCP relay passes on what booting computers ask. The source is open, because a relay " +
            "may send from any of its own addresses.",
        },
      )
    : ruleOf(
        flow,
        direction,
        { source: server, sourcePorts: [67], destination: relaySubnet, destinationPorts: [67] },
        {
          reason:
            "The boot offer goes to the relay's address in the segment (giaddr), which need not be the address " +
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
          sourcePorts: flow.ports,
          destination: segment.cidr,
          destinationPorts: flow.ports,
        },
        { isAnswered: true },
      )
    : null;
}

function generalRule(flow: Flow, segment: Segment, server: Ipv4Subnet): BoundaryRule | null {
  const isMulticast = flow.groups.length > 0;
  const ports = { sourcePorts: flow.sourcePorts, destinationPorts: flow.ports };
  const given = { groups: flow.groups, isAnswered: !isMulticast && flow.id !== "agent.discovery-reply" };
  if (segmentRoles.includes(flow.from) && flow.to.includes("server")) {
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

function ruleFor(flow: Flow, segment: Segment, server: Ipv4Subnet): BoundaryRule | null {
  if (flow.id === "boot.dhcp" || flow.id === "boot.dhcp-reply") {
    return dhcpRule(flow, segment, server);
  }
  return flow.id === "boot.tftp-data"
    ? tftpDataRule(flow, segment, server)
    : generalRule(flow, segment, server);
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
  return flows
    .filter((flow) => flow.state === "on" && segment.intent !== "none")
    .filter((flow) => segment.intent === "imaging" || !isForImaging(flow.id))
    .filter((flow) => options.multicast !== "local" || !needsMulticast(flow))
    .map((flow) => ruleFor(flow, segment, server))
    .filter((rule) => rule !== null);
}
