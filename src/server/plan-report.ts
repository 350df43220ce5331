import type { PlanResource } from "#api/plan-api.ts";
import { compareSockets } from "#plan/compare-sockets.ts";
import type { Flow } from "#plan/flow.ts";
import type { NetworkInterface, OpenSocket } from "#platform/network.ts";
import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";

/** The plan as it is now: flows, the sockets that are open for them, and where the two disagree. */
export function reportPlan(given: {
  readonly flows: readonly Flow[];
  readonly sockets: readonly OpenSocket[];
  readonly interfaces: readonly NetworkInterface[];
  readonly profile: string;
  readonly serverName: string;
  readonly nowMs: number;
}): PlanResource {
  const { flows, sockets, interfaces } = given;
  const names = interfaces.map((nic) => nic.name);
  return {
    generatedAt: Math.round(given.nowMs),
    profile: given.profile,
    server: given.serverName,
    segments: interfaces.map((nic) => ({
      name: nic.name,
      cidr: Ipv4Subnet.format(Ipv4Subnet.of(nic.address, nic.prefixLength)),
      interface: nic.name,
      intent: "imaging",
    })),
    flows: flows.map((flow) => ({
      ...flow,
      to: [...flow.to],
      ports: "from" in flow.ports ? { ...flow.ports } : [...flow.ports],
      groups: [...flow.groups],
      sockets: sockets
        .filter((socket) => socket.flowId === flow.id)
        .map((socket) => ({
          interface: socket.interfaceName,
          address: socket.localAddress,
          port: socket.localPort,
          groups: [...socket.groups],
        })),
    })),
    differences: compareSockets(flows, sockets, names),
  };
}
