import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { RuleDirection } from "./boundary-rules.ts";
import type { ExportInput } from "./exporter.ts";

/** Names of access lists and filters: `PORTOLAN-FAR-IN` filters what enters the router from the segment. */
export function aclName(input: ExportInput, direction: RuleDirection): string {
  const name = input.segment.name.replaceAll(/[^A-Za-z0-9]+/g, "-").slice(0, 24);
  return `PORTOLAN-${name}-${direction === "to-server" ? "IN" : "OUT"}`.toUpperCase();
}

/** What the owner of the device puts in where the plan cannot know it. */
export function segmentInterfaceOf(input: ExportInput): string {
  return input.segmentInterface ?? "SEGMENT-INTERFACE";
}

export function serverInterfaceOf(input: ExportInput): string {
  return input.serverInterface ?? "SERVER-INTERFACE";
}

/** The router itself, unless the site has a rendezvous point. */
export function rendezvousPointOf(input: ExportInput): string {
  return input.segment.gatewayAddress ?? "RENDEZVOUS-POINT";
}

/** Sentences about names that are still to be filled in. */
export function placeholderSentences(input: ExportInput): string[] {
  return [
    ...(input.segmentInterface === null
      ? ["Replace SEGMENT-INTERFACE by the routed interface of this segment (--segment-interface)."]
      : []),
    ...(input.serverInterface === null
      ? ["Replace SERVER-INTERFACE by the interface towards the server (--server-interface)."]
      : []),
    "Replace EDGE-PORTS by the switch ports that computers are plugged into, never by an uplink.",
  ];
}

/** Computers that boot behind a router reach nobody without a relay. */
export function needsRelay(input: ExportInput): boolean {
  return input.rules.some((rule) => rule.flowId === "boot.dhcp") && input.segment.interfaceName === null;
}

/** Both helpers: the DHCP server leases, we only say where to boot from. */
export function helperAddresses(input: ExportInput): readonly Ipv4Address[] {
  return [...input.dhcpServerAddresses, input.serverAddress];
}
