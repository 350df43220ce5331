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
import { commentLines, groupsOf, headerSentences, identifier, sentence, toText } from "./rule-text.ts";

function relayLines(input: ExportInput): string[] {
  if (!needsRelay(input)) {
    return [];
  }
  return [
    "!",
    "! Boot requests are broadcasts: the switch passes them on to the DHCP server and to us.",
    `interface ${segmentInterfaceOf(input)}`,
    ...helperAddresses(input).map((address) => `   ip helper-address ${address}`),
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
      "   no pim ipv4 sparse-mode",
      "exit",
    ];
  }
  return [
    "!",
    "! Multicast is routed. PIM on the interface of the segment also makes this switch the IGMP querier there.",
    "router multicast",
    "   ipv4",
    "      routing",
    "exit",
    "! Leave these lines out where the site has a rendezvous point of its own.",
    "router pim sparse-mode",
    "   ipv4",
    ...input.groups.map((group) => `      rp address ${rendezvousPointOf(input)} ${group}/32`),
    "exit",
    ...[segmentInterface, serverInterfaceOf(input)].flatMap((name) => [
      `interface ${name}`,
      "   pim ipv4 sparse-mode",
      "exit",
    ]),
    "ip igmp snooping",
  ];
}

function render(input: ExportInput): string {
  return toText([
    ...commentLines("!", [
      ...headerSentences(input),
      ...placeholderSentences(input),
      "A configuration session: all of it takes effect at once, with commit, or nothing with abort.",
    ]),
    `configure session ${identifier(input, "-", 40)}`,
    ...accessLists(input, prefixes, (list) => `ip access-list ${list}`),
    `interface ${segmentInterfaceOf(input)}`,
    `   ip access-group ${aclName(input, "to-server")} in`,
    `   ip access-group ${aclName(input, "to-segment")} out`,
    "exit",
    ...relayLines(input),
    ...multicastLines(input),
    "!",
    "! Ports of computers forward at once: boot firmware does not wait for spanning tree.",
    "interface EDGE-PORTS",
    "   spanning-tree portfast",
    "   spanning-tree bpduguard enable",
    "exit",
    "commit",
  ]);
}

function renderRollback(input: ExportInput): string {
  const groups = groupsOf(input.rules);
  return toText([
    `! Takes back Portolan's lines for segment ${sentence(input.segment.name)}. PIM, snooping and edge ports stay: others may use them.`,
    `configure session ${identifier(input, "-", 30)}-rollback`,
    `interface ${segmentInterfaceOf(input)}`,
    `   no ip access-group ${aclName(input, "to-server")} in`,
    `   no ip access-group ${aclName(input, "to-segment")} out`,
    ...(needsRelay(input) ? [`   no ip helper-address ${input.serverAddress}`] : []),
    "exit",
    ...(groups.length === 0
      ? []
      : [
          "router pim sparse-mode",
          "   ipv4",
          ...groups.map((group) => `      no rp address ${rendezvousPointOf(input)} ${group}/32`),
          "exit",
        ]),
    `no ip access-list ${aclName(input, "to-server")}`,
    `no ip access-list ${aclName(input, "to-segment")}`,
    "commit",
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
        "ip igmp snooping querier",
        `ip igmp snooping querier address ${input.segment.gatewayAddress ?? "FREE-ADDRESS-OF-THE-SEGMENT"}`,
      ];
  }
}

export const aristaEos: Exporter = {
  title: "Arista EOS, on the switch that routes the segment",
  device: "router",
  fileExtension: "txt",
  renderLine: (rule) => aclLines(rule, prefixes),
  renderMissing: (rule, input) => aclRemedy(rule, input, prefixes),
  renderNeed,
  render,
  renderRollback,
};
