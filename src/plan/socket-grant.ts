import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { Flow, FlowId, FlowPorts, FlowRole } from "./flow.ts";

/**
 * The right to open one socket, cut from a flow. `platform` opens nothing without one, so the plan cannot be
 * wrong about the program.
 */
export type SocketGrant = {
  readonly __brand: "SocketGrant";
  readonly flowId: FlowId;
  readonly transport: "udp" | "tcp";
  /** `listen`: bound to a port of the flow. `connect`: sends to a port of the flow from `localPort`. */
  readonly side: "listen" | "connect";
  /** Network interface name; `null` only for loopback and for agents, which follow their routes. */
  readonly interfaceName: string | null;
  /** Address to bind. 0.0.0.0 where broadcasts must be received; the group for imaging receivers. */
  readonly localAddress: Ipv4Address;
  /** Port to bind; 0 lets the stack choose (within `localPortRange` when given). */
  readonly localPort: number;
  readonly localPortRange: { readonly from: number; readonly to: number } | null;
  /** Groups this socket may join or send to. */
  readonly groups: readonly Ipv4Address[];
  readonly ttl: number | null;
};

export type GrantRequest = {
  readonly role: FlowRole;
  readonly side: "listen" | "connect";
  readonly interfaceName?: string | null;
  readonly localAddress?: Ipv4Address;
  /** For `listen`, a port of the flow, or 0 where the flow is dynamic. For `connect`, a source port; default 0. */
  readonly localPort?: number;
  readonly groups?: readonly Ipv4Address[];
};

/** The wiring asked for a socket the plan does not have: a programming error, never a user's. */
export class GrantError extends Error {
  readonly flowId: FlowId;

  constructor(flowId: FlowId, detail: string) {
    super(`no socket without a flow: ${flowId}: ${detail}`);
    this.name = "GrantError";
    this.flowId = flowId;
  }
}

export function portsInclude(ports: FlowPorts, port: number): boolean {
  return "from" in ports ? port >= ports.from && port <= ports.to : ports.includes(port);
}

/**
 * Cuts the right to one socket from a flow.
 *
 * @throws GrantError when the flow is off, or the role, port or group is not part of it.
 */
export function grantSocket(flow: Flow, request: GrantRequest): SocketGrant {
  const localPort = request.localPort ?? 0;
  const groups = request.groups ?? [];
  if (flow.state === "off") {
    throw new GrantError(flow.id, "the flow is switched off");
  }
  if (flow.from !== request.role && !flow.to.includes(request.role)) {
    throw new GrantError(flow.id, `role ${request.role} has no part in it`);
  }
  const allowedPorts = request.side === "listen" ? flow.ports : flow.sourcePorts;
  const dynamicPort = localPort === 0 && (request.side === "connect" || flow.dynamic);
  if (!dynamicPort && (allowedPorts === null || !portsInclude(allowedPorts, localPort))) {
    throw new GrantError(flow.id, `port ${localPort} is not one of its ports`);
  }
  const foreign = groups.find((group) => !flow.groups.includes(group));
  if (foreign !== undefined) {
    throw new GrantError(flow.id, `group ${foreign} is not one of its groups`);
  }
  return {
    __brand: "SocketGrant",
    flowId: flow.id,
    transport: flow.transport,
    side: request.side,
    interfaceName: request.interfaceName ?? null,
    localAddress: request.localAddress ?? Ipv4Address.any,
    localPort,
    localPortRange: flow.dynamic && "from" in flow.ports && request.side === "listen" ? flow.ports : null,
    groups,
    ttl: flow.ttl,
  };
}

/** The ports of a flow that are fixed; none where the stack chooses. */
export function fixedPorts(flow: Flow): readonly number[] {
  return "from" in flow.ports ? [] : flow.ports;
}

/**
 * The standing listeners of a server for one flow: each of its ports on each interface, in all of its groups. TCP is
 * bound to the interface's address; UDP to the interface alone, so that broadcasts and groups arrive.
 *
 * @returns nothing when the flow is off, or its sockets come and go with work
 */
export function grantListeners(
  flow: Flow,
  interfaces: readonly { readonly name: string; readonly address: Ipv4Address }[],
): SocketGrant[] {
  if (flow.state === "off" || flow.serverSocket !== "standing") {
    return [];
  }
  return interfaces.flatMap((nic) =>
    fixedPorts(flow).map((localPort) =>
      grantSocket(flow, {
        role: "server",
        side: "listen",
        interfaceName: nic.name,
        localAddress: flow.transport === "tcp" ? nic.address : Ipv4Address.any,
        localPort,
        groups: flow.groups,
      }),
    ),
  );
}
