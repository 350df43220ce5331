import { type Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { BoundaryRule } from "./boundary-rules.ts";
import { type PortSpan, spanText } from "./port-spans.ts";
import type { DeviceNeed } from "./device-lines.ts";
import {
  helperAddresses,
  needsRelay,
  placeholderSentences,
  segmentInterfaceOf,
  serverInterfaceOf,
} from "./device-names.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import {
  destinationsOf,
  groupsOf,
  headerSentences,
  identifier,
  ruleLabel,
  sentence,
  subnetText,
  toText,
} from "./rule-text.ts";

function endElement(
  name: "source" | "destination",
  subnet: Ipv4Subnet | null,
  ports: PortSpan | null,
): string {
  const address = subnet === null ? "<any/>" : `<address>${subnetText(subnet)}</address>`;
  const port = ports === null ? "" : `<port>${spanText(ports)}</port>`;
  return `    <${name}>${address}${port}</${name}>`;
}

/** The first rule that matches decides (`quick`), and states let the answers through. */
function renderLine(rule: BoundaryRule, input: ExportInput): string[] {
  const arrivesOn = rule.direction === "to-server" ? segmentInterfaceOf(input) : serverInterfaceOf(input);
  const sources = rule.sourcePorts === null ? [null] : rule.sourcePorts;
  return destinationsOf(rule).flatMap((destination) =>
    sources.flatMap((sourcePorts) =>
      rule.destinationPorts.flatMap((destinationPorts) => [
        "  <rule>",
        `    <type>pass</type><interface>${arrivesOn}</interface><ipprotocol>inet</ipprotocol><statetype>keep state</statetype>`,
        `    <direction>in</direction><quick>1</quick><protocol>${rule.transport}</protocol>`,
        endElement("source", rule.source, sourcePorts),
        endElement("destination", destination, destinationPorts),
        `    <descr>${identifier(input, "-", 40)} ${ruleLabel(rule, 120)}</descr>`,
        "  </rule>",
      ]),
    ),
  );
}

/** Where the product's own pages have what config.xml does not take from others. */
type Pages = { readonly relay: string; readonly proxy: string };

/** The rule, under the list it is missing from; rules after one that blocks are never asked. */
function renderMissing(rule: BoundaryRule, input: ExportInput): string[] {
  const arrivesOn = rule.direction === "to-server" ? segmentInterfaceOf(input) : serverInterfaceOf(input);
  return [
    `<!-- config.xml, in <filter>; shown as Firewall, Rules, ${arrivesOn}: above the rule that blocks -->`,
    ...renderLine(rule, input),
  ];
}

/** An IGMP proxy also asks who listens, so it is the querier of the segment. */
function renderNeed(need: DeviceNeed, input: ExportInput, pages: Pages): string[] {
  const downstream = segmentInterfaceOf(input);
  return need === "dhcp-relay"
    ? needsRelay(input)
      ? [`${pages.relay}: interface ${downstream}, destination servers ${helperAddresses(input).join(", ")}`]
      : []
    : input.groups.length === 0
      ? []
      : [
          `${pages.proxy}: ${serverInterfaceOf(input)} is upstream, network ${input.serverAddress}/32`,
          `${pages.proxy}: ${downstream} is downstream, network ${subnetText(input.segment.cidr)}`,
        ];
}

function render(input: ExportInput, product: string, pages: Pages): string {
  return toText([
    "<!--",
    ...[...headerSentences(input), ...placeholderSentences(input)].map(
      (text) => `  ${text.replaceAll("--", "-")}`,
    ),
    `  ${product}: rules are in config.xml, in <filter>. Save a backup of it (area: firewall rules), remove the rules whose`,
    `  description starts with ${identifier(input, "-", 40)}, put these before the others, and restore it.`,
    ...renderNeed("dhcp-relay", input, pages).map((line) => `  ${line}`),
    ...(input.dhcpServerAddresses.length === 0
      ? ["  The address of your DHCP server stays there beside ours."]
      : []),
    ...(groupsOf(input.rules).length === 0
      ? ["  Multicast stays in its segment: no IGMP proxy, so imaging across this router is by unicast."]
      : renderNeed("multicast-routing", input, pages).map((line) => `  ${line}`)),
    "-->",
    "<filter>",
    ...input.rules.flatMap((rule) => [
      `  <!-- ${sentence(rule.reason).replaceAll("--", "-")} -->`,
      ...renderLine(rule, input),
    ]),
    "</filter>",
  ]);
}

function renderRollback(input: ExportInput): string {
  return toText([
    "<!--",
    `  Takes back the rules for segment ${sentence(input.segment.name)}: remove every rule of <filter> whose description starts with`,
    `  ${identifier(input, "-", 40)}, or restore the backup that was saved before.`,
    "-->",
    "<filter/>",
  ]);
}

function pfExporter(product: string, pages: Pages): Exporter {
  return {
    title: `${product}, rules for config.xml`,
    device: "router",
    fileExtension: "xml",
    renderLine,
    renderMissing,
    renderNeed: (need, input) => renderNeed(need, input, pages),
    render: (input) => render(input, product, pages),
    renderRollback,
  };
}

/** Both are configurations over pf with the same rule elements. */
export const pfsense = pfExporter("pfSense", {
  relay: "Services, DHCP Relay",
  proxy: "Services, IGMP Proxy",
});
export const opnsense = pfExporter("OPNsense", {
  relay: "Services, DHCRelay",
  proxy: "Services, IGMP Proxy (plugin os-igmp-proxy)",
});
