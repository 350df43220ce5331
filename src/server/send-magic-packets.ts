import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Network, NetworkInterface } from "#platform/network.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import { encodeMagicPacket } from "#wire/magic-packet/magic-packet.ts";

/** `send` is asynchronous; the socket must live until the datagrams have left. */
const lingerMs = 50;

/**
 * One magic packet for each card on each interface, by broadcast: a sleeping computer has no address. From a port that
 * the stack chooses.
 *
 * @returns how many were sent
 */
export async function sendMagicPackets(given: {
  readonly network: Network;
  readonly flows: () => readonly Flow[];
  readonly interfaces: readonly NetworkInterface[];
  readonly macs: readonly MacAddress[];
  /** Destination port. */
  readonly port: number;
  /** Broadcast addresses of other segments; routers pass them only where someone has allowed it. */
  readonly directed: readonly Ipv4Address[];
  readonly secureOnPassword: Uint8Array | null;
}): Promise<number> {
  const { network, flows, interfaces, macs, port, directed, secureOnPassword } = given;
  const destinations = [Ipv4Address.broadcast, ...directed];
  const password = secureOnPassword === null ? {} : { secureOnPassword };
  await Promise.all(
    interfaces.map(async (nic) => {
      const grant = grantSocket(findFlow(flows(), "wake.magic-packet"), {
        role: "server",
        side: "connect",
        interfaceName: nic.name,
        localAddress: nic.address,
      });
      const socket = await network.openUdp(grant, { broadcast: true });
      for (const mac of macs) {
        for (const address of destinations) {
          socket.send(encodeMagicPacket({ mac, ...password }), { address, port });
        }
      }
      await new Promise((resolve) => {
        setTimeout(resolve, lingerMs);
      });
      await socket.close();
    }),
  );
  return macs.length * interfaces.length * destinations.length;
}
