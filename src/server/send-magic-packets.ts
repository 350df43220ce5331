import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Network, NetworkInterface } from "#platform/network.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import { encodeMagicPacket } from "#wire/magic-packet/magic-packet.ts";

/** One magic packet for each card on each interface, by broadcast: a sleeping computer has no address. */
export async function sendMagicPackets(given: {
  readonly network: Network;
  readonly flows: () => readonly Flow[];
  readonly interfaces: readonly NetworkInterface[];
  readonly macs: readonly MacAddress[];
  readonly port: number;
}): Promise<number> {
  const { network, flows, interfaces, macs, port } = given;
  for (const nic of interfaces) {
    const grant = grantSocket(findFlow(flows(), "wake.magic-packet"), {
      role: "server",
      side: "connect",
      interfaceName: nic.name,
      localAddress: nic.address,
    });
    const socket = await network.openUdp(grant, { broadcast: true });
    for (const mac of macs) {
      socket.send(encodeMagicPacket({ mac }), { address: Ipv4Address.broadcast, port });
    }
    // `send` is asynchronous; the socket must live until the datagrams have left.
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    await socket.close();
  }
  return macs.length * interfaces.length;
}
