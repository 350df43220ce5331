import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import { createLinuxNetwork } from "#platform/linux/linux-network.ts";
import { pxeRequest } from "#test/boot/pxe-messages.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { decodeDhcpPacket, encodeDhcpPacket } from "#wire/dhcp4/packet.ts";

/** What one burst showed: the time from sending to answer for each DISCOVER that was answered. */
export type BurstResult = { readonly sentCount: number; readonly latenciesMs: readonly number[] };

/* Sends DISCOVERs of that many computers at once from inside a namespace. usage: dhcp-burst.ts INTERFACE COUNT */
const [interfaceName = "", countText = "500"] = process.argv.slice(2);
const count = Number(countText);
const waitMs = 2000;

const flows = computeFlows(classicSettings, { consolePort: 8443 });
const network = createLinuxNetwork();
const grant = grantSocket(findFlow(flows, "boot.dhcp-reply"), {
  role: "firmware",
  side: "listen",
  interfaceName,
  localPort: 68,
});
const socket = await network.openUdp(grant, {
  broadcast: true,
  receiveBufferBytes: 8 << 20,
  sendBufferBytes: 8 << 20,
});
/** Keyed by `xid`. BOUNDED by the count of the burst. */
const sentAtMs = new Map<number, number>();
const latenciesMs: number[] = [];
socket.onDatagram(({ bytes }) => {
  const arrivedAtMs = performance.now();
  const { transactionId } = decodeDhcpPacket(bytes);
  const sentMs = sentAtMs.get(transactionId);
  if (sentMs !== undefined) {
    sentAtMs.delete(transactionId);
    latenciesMs.push(arrivedAtMs - sentMs);
  }
});
const base = 1 + Math.floor(Math.random() * 0x7fff_0000);
const packets = Array.from({ length: count }, (_, index) => {
  const mac = `52:54:00:aa:${(index >> 8).toString(16).padStart(2, "0")}:${(index & 255).toString(16).padStart(2, "0")}`;
  return encodeDhcpPacket(pxeRequest({ mac, transactionId: base + index, isBroadcast: true }));
});
for (const [index, packet] of packets.entries()) {
  sentAtMs.set(base + index, performance.now());
  socket.send(packet, { address: Ipv4Address.broadcast, port: 67 });
}
setTimeout(() => {
  const result: BurstResult = { sentCount: count, latenciesMs };
  console.log(JSON.stringify(result));
  process.exit(0);
}, waitMs);
