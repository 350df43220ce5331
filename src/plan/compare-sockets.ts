import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { Flow, FlowId } from "./flow.ts";
import { portsInclude } from "./socket-grant.ts";

/** A socket as the program or the kernel reports it. */
export type ReportedSocket = {
  readonly flowId: FlowId | null;
  readonly transport: "udp" | "tcp";
  readonly interfaceName: string | null;
  readonly localAddress: Ipv4Address;
  readonly localPort: number;
  readonly groups: readonly Ipv4Address[];
};

/** Flows whose listener a running server must have on each interface it serves. */
const standingListeners: readonly FlowId[] = [
  "boot.dhcp",
  "boot.server",
  "boot.tftp",
  "boot.http",
  "agent.discovery",
  "agent.control",
  "console.https",
];

function describe(socket: ReportedSocket): string {
  const place = socket.interfaceName === null ? "" : ` on ${socket.interfaceName}`;
  return `${socket.transport} ${socket.localAddress}:${socket.localPort}${place}`;
}

function isAllowed(flow: Flow, socket: ReportedSocket): boolean {
  const source = flow.sourcePorts;
  const isOurPort =
    flow.dynamic ||
    portsInclude(flow.ports, socket.localPort) ||
    (source === null && flow.from === "server") ||
    (source !== null && portsInclude(source, socket.localPort));
  return flow.transport === socket.transport && flow.state === "on" && isOurPort;
}

/**
 * Where the sockets that are open and the flows disagree, in both directions. Empty when the plan is the program.
 *
 * @param interfaceNames interfaces the server was told to serve
 */
export function compareSockets(
  flows: readonly Flow[],
  sockets: readonly ReportedSocket[],
  interfaceNames: readonly string[],
): string[] {
  const differences: string[] = [];
  for (const socket of sockets) {
    const flow = flows.find((candidate) => candidate.id === socket.flowId);
    if (flow === undefined) {
      differences.push(`${describe(socket)} is open and belongs to no flow`);
    } else if (!isAllowed(flow, socket)) {
      differences.push(`${describe(socket)} is open, but is not what flow ${flow.id} allows`);
    } else {
      const foreign = socket.groups.filter((group) => !flow.groups.includes(group));
      for (const group of foreign) {
        differences.push(`${describe(socket)} has joined ${group}, which is not a group of flow ${flow.id}`);
      }
    }
  }
  for (const flow of flows.filter(
    (candidate) => candidate.state === "on" && standingListeners.includes(candidate.id),
  )) {
    for (const name of interfaceNames) {
      const isOpen = sockets.some((socket) => socket.flowId === flow.id && socket.interfaceName === name);
      if (!isOpen) {
        differences.push(`flow ${flow.id} is on, but nothing listens for it on ${name}`);
      }
    }
  }
  return differences;
}
