import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Network } from "#platform/network.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { ServerManagementMessage } from "#wire/control/management-messages.ts";
import { encodeMagicPacket } from "#wire/magic-packet/magic-packet.ts";

/** A datagram is on the wire long before; closing the socket earlier would take it back. */
const lingerMs = 50;

/**
 * Sends magic packets on every segment this computer is on, for a neighbour that the server cannot reach by broadcast.
 *
 * @returns how many were sent
 */
export async function wakePeer(
  order: Extract<ServerManagementMessage, { readonly type: "wake-peer" }>,
  network: Network,
): Promise<number> {
  const settings = { ...classicSettings, "agent.wakePort": order.port };
  const flow = findFlow(computeFlows(settings, { consolePort: 8443 }), "agent.wake");
  const password =
    order.secureOnPassword === null
      ? {}
      : { secureOnPassword: Uint8Array.from(Buffer.from(order.secureOnPassword, "hex")) };
  let sentCount = 0;
  for (const nic of network.interfaces().filter(({ isLoopback }) => !isLoopback)) {
    const grant = grantSocket(flow, {
      role: "agent",
      side: "connect",
      interfaceName: nic.name,
      localAddress: nic.address,
    });
    const socket = await network.openUdp(grant, { broadcast: true });
    try {
      for (const mac of order.macs) {
        socket.send(encodeMagicPacket({ mac, ...password }), {
          address: Ipv4Address.broadcast,
          port: order.port,
        });
        sentCount += 1;
      }
      await new Promise((resolve) => {
        setTimeout(resolve, lingerMs);
      });
    } finally {
      await socket.close();
    }
  }
  return sentCount;
}
