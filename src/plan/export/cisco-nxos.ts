import { accessLists, aclLines, prefixes } from "./cisco-acl.ts";
import {
  aclName,
  helperAddresses,
  needsRelay,
  placeholderSentences,
  rendezvousPointOf,
  segmentInterfaceOf,
  serverInterfaceOf,
} from "./device-names.ts";
import { aclRemedy, type DeviceNeed, withoutComments } from "./device-lines.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import { commentLines, groupsOf, headerSentences, sentence, toText } from "./rule-text.ts";

function relayLines(input: ExportInput): string[] {
  if (!needsRelay(input)) {
    return [];
  }
  return [
    "!",
    "! Boot requests are broadcasts: the switch passes them on to the DHCP server and to us.",
    "feature dhcp",
    "service dhcp",
    "ip dhcp relay",
    `interface ${segmentInterfaceOf(input)}`,
    ...helperAddresses(input).map((address) => `  ip dhcp relay address ${address}`),
    "exit",
  ];
}

function multicastLines(input: ExportInput): string[] {
  if (input.groups.length === 0) {
    return [];
  }
  const segmentInterface = segmentInterfaceOf(input);
  if (groupsOf(input.rules).length === 0) {
    return [
      "!",
      "! Multicast stays in its segment: no PIM here, so imaging across this switch is by unicast.",
      `interface ${segmentInterface}`,
      "  no ip pim sparse-mode",
      "exit",
    ];
  }
  return [
    "!",
    "! Multicast is routed. PIM on the interface of the segment also makes this switch the IGMP querier there.",
    "feature pim",
    "! Leave these lines out where the site has a rendezvous point of its own.",
    ...input.groups.map((group) => `ip pim rp-address ${rendezvousPointOf(input)} group-list ${group}/32`),
    ...[segmentInterface, serverInterfaceOf(input)].flatMap((name) => [
      `interface ${name}`,
      "  ip pim sparse-mode",
      "exit",
    ]),
    "ip igmp snooping",
  ];
}

function render(input: ExportInput): string {
  return toText([
    ...commentLines("!", [...headerSentences(input), ...placeholderSentences(input)]),
    "configure terminal",
    ...accessLists(input, prefixes, (list) => `ip access-list ${list}`),
    `interface ${segmentInterfaceOf(input)}`,
    `  ip access-group ${aclName(input, "to-server")} in`,
    `  ip access-group ${aclName(input, "to-segment")} out`,
    "exit",
    ...relayLines(input),
    ...multicastLines(input),
    "!",
    "! Ports of computers forward at once: boot firmware does not wait for spanning tree.",
    "interface EDGE-PORTS",
    "  spanning-tree port type edge",
    "  spanning-tree bpduguard enable",
    "exit",
    "end",
  ]);
}

function renderRollback(input: ExportInput): string {
  return toText([
    `! Takes back Portolan's lines for segment ${sentence(input.segment.name)}. PIM, snooping and edge ports stay: others may use them.`,
    "configure terminal",
    `interface ${segmentInterfaceOf(input)}`,
    `  no ip access-group ${aclName(input, "to-server")} in`,
    `  no ip access-group ${aclName(input, "to-segment")} out`,
    ...(needsRelay(input) ? [`  no ip dhcp relay address ${input.serverAddress}`] : []),
    "exit",
    ...groupsOf(input.rules).map(
      (group) => `no ip pim rp-address ${rendezvousPointOf(input)} group-list ${group}/32`,
    ),
    `no ip access-list ${aclName(input, "to-server")}`,
    `no ip access-list ${aclName(input, "to-segment")}`,
    "end",
  ]);
}

function renderNeed(need: DeviceNeed, input: ExportInput): string[] {
  switch (need) {
    case "dhcp-relay":
      return withoutComments(relayLines(input), "!");
    case "multicast-routing":
      return withoutComments(multicastLines(input), "!");
    case "querier":
      return [
        "vlan configuration VLAN-OF-THE-SEGMENT",
        `  ip igmp snooping querier ${input.segment.gatewayAddress ?? "FREE-ADDRESS-OF-THE-SEGMENT"}`,
      ];
  }
}

export const ciscoNxos: Exporter = {
  title: "Cisco NX-OS, on the switch that routes the segment",
  device: "router",
  fileExtension: "txt",
  renderLine: (rule) => aclLines(rule, prefixes),
  renderMissing: (rule, input) => aclRemedy(rule, input, prefixes),
  renderNeed,
  render,
  renderRollback,
};
