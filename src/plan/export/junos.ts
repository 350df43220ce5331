import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { type AclEntry, aclEntries } from "./acl-entries.ts";
import type { BoundaryRule, RuleDirection } from "./boundary-rules.ts";
import { spanText } from "./port-spans.ts";
import {
  aclName,
  helperAddresses,
  needsRelay,
  placeholderSentences,
  rendezvousPointOf,
  segmentInterfaceOf,
  serverInterfaceOf,
} from "./device-names.ts";
import { type DeviceNeed, withoutComments } from "./device-lines.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import { commentLines, groupsOf, headerSentences, identifier, sentence, toText } from "./rule-text.ts";

function indent(lines: readonly string[], depth: number): string[] {
  return lines.map((line) => `${"    ".repeat(depth)}${line}`);
}

function block(title: string, body: readonly string[]): string[] {
  return [`${title} {`, ...indent(body, 1), "}"];
}

function matchLines(entry: AclEntry): string[] {
  return [
    ...(entry.source === null ? [] : [`source-address ${Ipv4Subnet.format(entry.source)};`]),
    ...(entry.destination === null ? [] : [`destination-address ${Ipv4Subnet.format(entry.destination)};`]),
    `protocol ${entry.transport};`,
    ...(entry.sourcePorts === null ? [] : [`source-port ${spanText(entry.sourcePorts)};`]),
    ...(entry.destinationPorts === null ? [] : [`destination-port ${spanText(entry.destinationPorts)};`]),
    ...(entry.isEstablished ? ["tcp-established;"] : []),
  ];
}

/** Terms are named for the rule, with a number where a rule needs several. */
function termsOf(rule: BoundaryRule, direction: RuleDirection | null): string[] {
  return aclEntries(rule).flatMap((entry, index) => {
    const name = `${rule.flowId.replaceAll(".", "-")}-${rule.direction}-${index + 1}`;
    return direction !== null && entry.direction !== direction
      ? []
      : [
          `/* ${sentence(rule.reason)} */`,
          ...block(`term ${name}`, [...block("from", matchLines(entry)), "then accept;"]),
        ];
  });
}

function filter(input: ExportInput, direction: RuleDirection): string[] {
  const isToServer = direction === "to-server";
  const segment = Ipv4Subnet.format(input.segment.cidr);
  const server = `${input.serverAddress}/32`;
  const fixed = (name: string, reason: string, match: readonly string[], then: string): string[] => [
    `/* ${reason} */`,
    ...block(`term ${name}`, [...(match.length === 0 ? [] : block("from", match)), then]),
  ];
  return block(`replace: filter ${aclName(input, direction)}`, [
    ...input.rules.flatMap((rule) => termsOf(rule, direction)),
    ...(isToServer && needsRelay(input)
      ? fixed(
          "relay",
          "Computers without an address ask the relay of this router.",
          ["protocol udp;", "source-port 68;", "destination-port 67;"],
          "then accept;",
        )
      : []),
    ...(isToServer && input.groups.length > 0
      ? fixed("membership", "Which groups the computers want.", ["protocol igmp;"], "then accept;")
      : []),
    ...fixed(
      "closed",
      "Nothing else passes between this segment and this server.",
      [
        `source-address ${isToServer ? segment : server};`,
        `destination-address ${isToServer ? server : segment};`,
      ],
      "then discard;",
    ),
    ...fixed("others", "Other traffic of the segment is not this filter's matter.", [], "then accept;"),
  ]);
}

/** `irb.20` is unit 20 of `irb`. */
function unitOf(name: string): { readonly physical: string; readonly unit: string } {
  const [physical = name, unit = "0"] = name.split(".");
  return { physical, unit };
}

function interfaceLines(input: ExportInput): string[] {
  const { physical, unit } = unitOf(segmentInterfaceOf(input));
  const filters = [`input ${aclName(input, "to-server")};`, `output ${aclName(input, "to-segment")};`];
  return block(
    "interfaces",
    block(physical, block(`unit ${unit}`, block("family inet", block("filter", filters)))),
  );
}

function relayLines(input: ExportInput): string[] {
  if (!needsRelay(input)) {
    return [];
  }
  const group = identifier(input, "-", 40);
  return block("forwarding-options", [
    "/* Boot requests are broadcasts: the router passes them on to the DHCP server and to us. */",
    ...block("dhcp-relay", [
      ...block(
        "server-group",
        block(
          `replace: ${group}`,
          helperAddresses(input).map((address) => `${address};`),
        ),
      ),
      ...block(`replace: group ${group}`, [
        `active-server-group ${group};`,
        `interface ${segmentInterfaceOf(input)};`,
      ]),
    ]),
  ]);
}

function multicastLines(input: ExportInput): string[] {
  if (input.groups.length === 0) {
    return [];
  }
  if (groupsOf(input.rules).length === 0) {
    return [
      "/* Multicast stays in its segment: no PIM here, so imaging across this router is by unicast. */",
      ...block("pim", block(`interface ${segmentInterfaceOf(input)}`, ["disable;"])),
    ];
  }
  const ranges = block(
    "group-ranges",
    input.groups.map((group) => `${group}/32;`),
  );
  return [
    "/* Multicast is routed; PIM makes this router the IGMP querier of the segment. Leave rp out where the site has one. */",
    ...block("pim", [
      ...block("rp", block("static", block(`address ${rendezvousPointOf(input)}`, ranges))),
      ...[segmentInterfaceOf(input), serverInterfaceOf(input)].flatMap((name) =>
        block(`interface ${name}`, ["mode sparse;"]),
      ),
    ]),
    ...block("igmp-snooping", ["vlan all;"]),
  ];
}

function protocolLines(input: ExportInput): string[] {
  const edge = [
    "/* Ports of computers forward at once: boot firmware does not wait for spanning tree. */",
    ...block("rstp", [...block("interface EDGE-PORTS", ["edge;"]), "bpdu-block-on-edge;"]),
  ];
  return block("protocols", [...multicastLines(input), ...edge]);
}

function render(input: ExportInput): string {
  return toText([
    ...commentLines("#", [
      ...headerSentences(input),
      ...placeholderSentences(input),
      "Load in configuration mode with: load replace terminal. Then: commit confirmed 5",
    ]),
    ...block(
      "firewall",
      block("family inet", [...filter(input, "to-server"), ...filter(input, "to-segment")]),
    ),
    ...interfaceLines(input),
    ...relayLines(input),
    ...protocolLines(input),
  ]);
}

function renderRollback(input: ExportInput): string {
  const { physical, unit } = unitOf(segmentInterfaceOf(input));
  const group = identifier(input, "-", 40);
  return toText([
    `# Takes back Portolan's lines for segment ${sentence(input.segment.name)}. Load with: load set terminal.`,
    "# PIM interfaces, snooping and edge ports stay: others may use them.",
    ...["input", "output"].map(
      (side) => `delete interfaces ${physical} unit ${unit} family inet filter ${side}`,
    ),
    ...(["to-server", "to-segment"] as const).map(
      (direction) => `delete firewall family inet filter ${aclName(input, direction)}`,
    ),
    ...(needsRelay(input)
      ? [
          `delete forwarding-options dhcp-relay group ${group}`,
          `delete forwarding-options dhcp-relay server-group ${group}`,
        ]
      : []),
    ...groupsOf(input.rules).map(
      (address) =>
        `delete protocols pim rp static address ${rendezvousPointOf(input)} group-ranges ${address}/32`,
    ),
  ]);
}

/** The terms of a rule, each under the filter it is missing from. */
function renderMissing(rule: BoundaryRule, input: ExportInput): string[] {
  return (["to-server", "to-segment"] as const).flatMap((direction) => {
    const terms = termsOf(rule, direction);
    const side = direction === "to-server" ? "input" : "output";
    const place = `/* filter ${aclName(input, direction)}, ${side} on ${segmentInterfaceOf(input)}, above its term closed: */`;
    return terms.length === 0 ? [] : [place, ...terms];
  });
}

function renderNeed(need: DeviceNeed, input: ExportInput): string[] {
  const querier = input.segment.gatewayAddress ?? "FREE-ADDRESS-OF-THE-SEGMENT";
  switch (need) {
    case "dhcp-relay":
      return withoutComments(relayLines(input), "/*");
    case "multicast-routing":
      return withoutComments(block("protocols", multicastLines(input)), "/*");
    case "querier":
      return block(
        "protocols",
        block(
          "igmp-snooping",
          block("vlan VLAN-OF-THE-SEGMENT", block("l2-querier", [`source-address ${querier};`])),
        ),
      );
  }
}

export const junos: Exporter = {
  title: "Juniper Junos, on the router of the segment",
  device: "router",
  fileExtension: "conf",
  renderLine: (rule) => termsOf(rule, null),
  renderMissing,
  renderNeed,
  render,
  renderRollback,
};
