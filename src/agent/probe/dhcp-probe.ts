import { grantSocket, type SocketGrant } from "#plan/socket-grant.ts";
import { NetworkError } from "#platform/network-error.ts";
import type { Datagram, UdpSocket } from "#platform/network.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { routers, serverIdentifier, subnetMask } from "#wire/dhcp4/options/addresses.ts";
import { bootFileName, vendorClass } from "#wire/dhcp4/options/texts.ts";
import { type DhcpPacket, decodeDhcpPacket, encodeDhcpPacket } from "#wire/dhcp4/packet.ts";
import type { ProbeOrder } from "#wire/probe/probe-order.ts";
import { pxeProbePacket } from "#wire/probe/pxe-probe-packet.ts";
import type { OfferSighting, ProbeSighting } from "#wire/probe/probe-sighting.ts";
import { type ProbeContext, pause } from "./probe-context.ts";
import { flowWith } from "./probe-flows.ts";

type DhcpOrder = Extract<ProbeOrder, { readonly kind: "dhcp" | "boot-server" }>;

/** Waits after each packet; the first ones are those of firmware, cut short: a late answer is still seen as late. */
const waitsMs = [2000, 2000, 2000] as const;
const offerCountMax = 64;

/**
 * Sends what firmware sends, up to three times, and collects who answers. Never asks for the lease that is offered.
 * Everything is listened for to the end: a second DHCP server may be slower than the first.
 */
export async function probeDhcp(context: ProbeContext, order: DhcpOrder): Promise<ProbeSighting> {
  const isDiscover = order.kind === "dhcp";
  const socket = await openSocket(context, isDiscover);
  const offers: OfferSighting[] = [];
  const sentAtMs: number[] = [];
  socket.onError(() => undefined);
  socket.onDatagram((datagram) => {
    const packet = decodeAnswer(datagram, order);
    const elapsedMs = performance.now() - (sentAtMs.at(-1) ?? 0);
    if (packet !== null && offers.length < offerCountMax && !isRepeated(offers, packet, datagram)) {
      offers.push(describe(packet, datagram, { attempt: sentAtMs.length - 1, elapsedMs }));
    }
  });
  const to = isDiscover
    ? { address: Ipv4Address.broadcast, port: 67 }
    : { address: context.serverAddress, port: 4011 };
  for (const [index, waitMs] of waitsMs.entries()) {
    const isAnswered = offers.some((offer) => offer.isBootServer);
    const isLeaseOffered = offers.some((offer) => offer.yourAddress !== Ipv4Address.any);
    if (isAnswered && (!isDiscover || isLeaseOffered)) {
      break;
    }
    sentAtMs.push(performance.now());
    const packet = pxeProbePacket({
      type: isDiscover ? "discover" : "request",
      mac: order.mac,
      transactionId: order.transactionId,
      secondsElapsed: index * 4,
      clientAddress: isDiscover ? Ipv4Address.any : context.networkInterface.address,
    });
    socket.send(encodeDhcpPacket(packet), to);
    await pause(waitMs);
  }
  await socket.close();
  return { kind: order.kind, sentCount: sentAtMs.length, offers };
}

/**
 * From the ports of firmware. The system's own DHCP client may hold port 68 too, which it then shares; answers by unicast
 * go to whoever has bound the address itself, last.
 *
 * @throws NetworkError `port-in-use` when it does not share
 */
async function openSocket(context: ProbeContext, isDiscover: boolean): Promise<UdpSocket> {
  const { name: interfaceName, address } = context.networkInterface;
  const open = (grant: SocketGrant): Promise<UdpSocket> =>
    context.network.openUdp(grant, { broadcast: isDiscover, reuseAddress: true });
  const request = { role: "firmware", side: "connect", interfaceName } as const;
  if (isDiscover) {
    return open(grantSocket(flowWith("boot.dhcp", {}), { ...request, localPort: 68 }));
  }
  const flow = flowWith("boot.server", {});
  const bootServerRequest = { ...request, localAddress: address };
  try {
    return await open(grantSocket(flow, { ...bootServerRequest, localPort: 68 }));
  } catch (error) {
    if (error instanceof NetworkError && error.code === "port-in-use") {
      return open(grantSocket(flow, { ...bootServerRequest, localPort: 4011 }));
    }
    throw error;
  }
}

function decodeAnswer(datagram: Datagram, order: DhcpOrder): DhcpPacket | null {
  try {
    const packet = decodeDhcpPacket(datagram.bytes);
    const isOurs =
      packet.operation === "reply" &&
      packet.transactionId === order.transactionId &&
      packet.hardwareAddress.byteLength === MacAddress.sizeBytes &&
      MacAddress.fromBytes(packet.hardwareAddress) === order.mac;
    return isOurs ? packet : null;
  } catch (error) {
    if (error instanceof WireError) {
      return null;
    }
    throw error;
  }
}

function isRepeated(offers: readonly OfferSighting[], packet: DhcpPacket, datagram: Datagram): boolean {
  return offers.some(
    (offer) =>
      offer.serverIdentifier === (serverIdentifier(packet.options) ?? null) &&
      offer.sourceAddress === datagram.sourceAddress &&
      offer.yourAddress === packet.yourAddress,
  );
}

function describe(
  packet: DhcpPacket,
  datagram: Datagram,
  when: Pick<OfferSighting, "attempt" | "elapsedMs">,
): OfferSighting {
  const { options } = packet;
  const kind = vendorClass(options) ?? "";
  const file = packet.bootFile === "" ? (bootFileName(options) ?? null) : packet.bootFile;
  return {
    sourceAddress: datagram.sourceAddress,
    serverIdentifier: serverIdentifier(options) ?? null,
    yourAddress: packet.yourAddress,
    serverAddress: packet.serverAddress,
    relayAddress: packet.relayAddress,
    bootFile: file,
    isBootServer: kind.startsWith("PXEClient"),
    subnetMask: subnetMask(options) ?? null,
    router: routers(options)[0] ?? null,
    ...when,
  };
}
