import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { Flow } from "../flow.ts";
import { nearestWord } from "../nearest.ts";
import type { Segment } from "../segment.ts";
import { aristaEos } from "./arista-eos.ts";
import { type BoundaryMulticast, computeBoundaryRules } from "./boundary-rules.ts";
import { ciscoIos } from "./cisco-ios.ts";
import { ciscoNxos } from "./cisco-nxos.ts";
import { dnsmasq } from "./dnsmasq.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import { firewalld } from "./firewalld.ts";
import { frr } from "./frr.ts";
import { iptables } from "./iptables.ts";
import { iscDhcp } from "./isc-dhcp.ts";
import { junos } from "./junos.ts";
import { kea } from "./kea.ts";
import { nftables } from "./nftables.ts";
import { opnsense, pfsense } from "./pf-xml.ts";
import { routeros } from "./routeros.ts";
import { groupsOf } from "./rule-text.ts";
import { smcroute } from "./smcroute.ts";
import { ufw } from "./ufw.ts";
import { windowsDhcp } from "./windows-dhcp.ts";
import { windowsFirewall } from "./windows-firewall.ts";

/** Every format by the name that the command line takes. */
export const exporters = {
  nftables,
  iptables,
  ufw,
  firewalld,
  "windows-firewall": windowsFirewall,
  "cisco-ios": ciscoIos,
  "cisco-nxos": ciscoNxos,
  "arista-eos": aristaEos,
  junos,
  routeros,
  opnsense,
  pfsense,
  frr,
  smcroute,
  "isc-dhcp": iscDhcp,
  kea,
  dnsmasq,
  "windows-dhcp": windowsDhcp,
} as const satisfies Readonly<Record<string, Exporter>>;

export type ExportFormat = keyof typeof exporters;
export const exportFormats = Object.keys(exporters) as readonly ExportFormat[];

/** What people call a format by its device. */
const otherNames: Readonly<Record<string, ExportFormat>> = {
  nft: "nftables",
  ios: "cisco-ios",
  cisco: "cisco-ios",
  nxos: "cisco-nxos",
  "nx-os": "cisco-nxos",
  eos: "arista-eos",
  arista: "arista-eos",
  juniper: "junos",
  mikrotik: "routeros",
  windows: "windows-firewall",
  powershell: "windows-firewall",
  isc: "isc-dhcp",
  dhcpd: "isc-dhcp",
};

/** There is no such format. The message has the nearest name, or all of them. */
export class ExportFormatError extends Error {
  readonly code = "unknown-format";

  constructor(text: string) {
    const nearest = nearestWord(text, [...exportFormats, ...Object.keys(otherNames)]);
    super(
      `there is no format ${JSON.stringify(text)}; ` +
        (nearest === null ? `there are ${exportFormats.join(", ")}` : `did you mean ${nearest}?`),
    );
    this.name = "ExportFormatError";
  }
}

/** @throws ExportFormatError `unknown-format` */
export function parseExportFormat(text: string): ExportFormat {
  const word = text.toLowerCase();
  const format = exportFormats.find((candidate) => candidate === word) ?? otherNames[word];
  if (format === undefined) {
    throw new ExportFormatError(text);
  }
  return format;
}

export type ExportRequest = {
  readonly flows: readonly Flow[];
  readonly segment: Segment;
  readonly serverName: string;
  readonly profile: string;
  readonly multicast?: BoundaryMulticast;
  readonly dhcpServerAddresses?: readonly Ipv4Address[];
  readonly segmentInterface?: string | null;
  readonly serverInterface?: string | null;
};

/**
 * What renderers need, for one segment.
 *
 * @throws BoundaryError `no-server-address`
 */
export function exportInputOf(request: ExportRequest): ExportInput {
  const { flows, segment, multicast = "routed" } = request;
  const rules = computeBoundaryRules(flows, segment, { multicast });
  const http = flows.find(({ id }) => id === "boot.http")?.ports;
  return {
    serverName: request.serverName,
    profile: request.profile,
    segment,
    // `computeBoundaryRules` has refused a segment without one.
    serverAddress: segment.serverAddress ?? Ipv4Address.any,
    rules,
    multicast,
    groups: groupsOf(computeBoundaryRules(flows, segment)),
    dhcpServerAddresses: request.dhcpServerAddresses ?? [],
    httpPort: (http === undefined || "from" in http ? null : http[0]) ?? 80,
    segmentInterface: request.segmentInterface ?? null,
    serverInterface: request.serverInterface ?? null,
  };
}
