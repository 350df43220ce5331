import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { Flow, FlowId } from "./flow.ts";
import { fixedPorts, portsInclude } from "./socket-grant.ts";

/** A socket as the program or the kernel reports it. */
export type ReportedSocket = {
  readonly flowId: FlowId | null;
  readonly transport: "udp" | "tcp";
  readonly interfaceName: string | null;
  readonly localAddress: Ipv4Address;
  readonly localPort: number;
  readonly groups: readonly Ipv4Address[];
};

function describe(socket: ReportedSocket): string {
  const place = socket.interfaceName === null ? "" : ` on ${socket.interfaceName}`;
  return `${socket.transport} ${socket.localAddress}:${socket.localPort}${place}`;
}

function isAllowed(flow: Flow, socket: ReportedSocket): boolean {
  const isOurPort =
    portsInclude(flow.ports, socket.localPort) ||
    (flow.sourcePorts === null ? flow.from === "server" : portsInclude(flow.sourcePorts, socket.localPort));
  const isHeld = flow.state === "on" && flow.serverSocket !== "none";
  return flow.transport === socket.transport && isHeld && isOurPort;
}

/** What is open and should not be. */
function findSurplus(flows: readonly Flow[], socket: ReportedSocket): string[] {
  const flow = flows.find((candidate) => candidate.id === socket.flowId);
  if (flow === undefined) {
    return [`${describe(socket)} is open and belongs to no flow`];
  }
  if (!isAllowed(flow, socket)) {
    return [`${describe(socket)} is open, but is not what flow ${flow.id} allows`];
  }
  return socket.groups
    .filter((group) => !flow.groups.includes(group))
    .map((group) => `${describe(socket)} has joined ${group}, which is not a group of flow ${flow.id}`);
}

/** What a flow needs on one interface and is not there. */
function findMissing(flow: Flow, sockets: readonly ReportedSocket[], interfaceName: string): string[] {
  return fixedPorts(flow).flatMap((port) => {
    const open = sockets.filter(
      (socket) =>
        socket.flowId === flow.id && socket.interfaceName === interfaceName && socket.localPort === port,
    );
    const what = `flow ${flow.id} is on, but on ${interfaceName}`;
    if (open.length === 0) {
      return [`${what} nothing listens for it on ${flow.transport} port ${port}`];
    }
    return flow.groups
      .filter((group) => !open.some((socket) => socket.groups.includes(group)))
      .map((group) => `${what} its group ${group} is not joined`);
  });
}

/**
 * Where the sockets that are open at a server and the flows disagree, in both directions. Empty when the plan is the
 * program.
 *
 * @param interfaceNames interfaces the server was told to serve
 */
export function compareSockets(
  flows: readonly Flow[],
  sockets: readonly ReportedSocket[],
  interfaceNames: readonly string[],
): string[] {
  const standing = flows.filter(({ state, serverSocket }) => state === "on" && serverSocket === "standing");
  return [
    ...sockets.flatMap((socket) => findSurplus(flows, socket)),
    ...standing.flatMap((flow) => interfaceNames.flatMap((name) => findMissing(flow, sockets, name))),
  ];
}
