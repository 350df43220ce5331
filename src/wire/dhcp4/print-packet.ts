import { Ipv4Address } from "../address/ipv4-address.ts";
import { formatHex, type PrintedField, quoteText } from "../printing/printed-field.ts";
import { printOptions } from "./known-options.ts";
import type { DhcpPacket } from "./packet.ts";

/** A message as people read it; fields without content are left out. Never throws. */
export function printDhcpPacket(packet: DhcpPacket): PrintedField[] {
  const fields: readonly (PrintedField | false)[] = [
    { label: "xid", value: packet.transactionId.toString(16).padStart(8, "0") },
    { label: "hardware address", value: formatHex(packet.hardwareAddress).replaceAll(" ", ":") },
    packet.hardwareType !== 1 && { label: "hardware type", value: String(packet.hardwareType) },
    packet.hops !== 0 && { label: "hops", value: String(packet.hops) },
    packet.secondsElapsed !== 0 && { label: "secs", value: String(packet.secondsElapsed) },
    packet.isBroadcast && { label: "flags", value: "broadcast" },
    isGiven(packet.clientAddress) && { label: "ciaddr", value: packet.clientAddress },
    isGiven(packet.yourAddress) && { label: "yiaddr", value: packet.yourAddress },
    isGiven(packet.serverAddress) && { label: "siaddr", value: packet.serverAddress },
    isGiven(packet.relayAddress) && { label: "giaddr", value: packet.relayAddress },
    packet.serverName !== "" && { label: "sname", value: quoteText(packet.serverName) },
    packet.bootFile !== "" && { label: "file", value: quoteText(packet.bootFile) },
  ];
  return [...fields.filter((field) => field !== false), ...printOptions(packet.options)];
}

function isGiven(address: Ipv4Address): boolean {
  return address !== Ipv4Address.any;
}
