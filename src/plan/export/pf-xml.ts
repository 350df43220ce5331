import { type Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { BoundaryRule } from "./boundary-rules.ts";
import { type PortSpan, spanText } from "./port-spans.ts";
import { placeholderSentences, segmentInterfaceOf, serverInterfaceOf } from "./device-names.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import {
  destinationsOf,
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

function render(input: ExportInput, product: string): string {
  return toText([
    "<!--",
    ...[...headerSentences(input), ...placeholderSentences(input)].map(
      (text) => `  ${text.replaceAll("--", "-")}`,
    ),
    `  ${product}: rules are in config.xml, in <filter>. Save a backup of it (area: firewall rules), remove the rules whose`,
    `  description starts with ${identifier(input, "-", 40)}, put these before the others, and restore it.`,
    "  The relay: Services, DHCP Relay, with the address of your DHCP server and ours. Multicast: the PIMD or igmpproxy package.",
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

function pfExporter(product: string): Exporter {
  return {
    title: `${product}, rules for config.xml`,
    device: "router",
    fileExtension: "xml",
    renderLine,
    render: (input) => render(input, product),
    renderRollback,
  };
}

/** Both are configurations over pf with the same rule elements. */
export const pfsense = pfExporter("pfSense");
export const opnsense = pfExporter("OPNsense");
