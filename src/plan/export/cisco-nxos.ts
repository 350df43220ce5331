import { accessLists, aclLines, prefixes } from "./cisco-acl.ts";
import {
  aclName,
  needsRelay,
  placeholderSentences,
  rendezvousPointOf,
  segmentInterfaceOf,
} from "./device-names.ts";
import { aclRemedy } from "./device-lines.ts";
import { multicastLines, relayLines, type SwitchDialect, switchNeed } from "./switch-lines.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import { commentLines, groupsOf, headerSentences, sentence, toText } from "./rule-text.ts";

/** NX-OS: each feature is switched on first. */
const dialect: SwitchDialect = {
  indent: "  ",
  relayStart: ["feature dhcp", "service dhcp", "ip dhcp relay"],
  helper: "ip dhcp relay address",
  multicastStart: ["feature pim"],
  rendezvousPoints: (input) =>
    input.groups.map((group) => `ip pim rp-address ${rendezvousPointOf(input)} group-list ${group}/32`),
  pim: "ip pim sparse-mode",
  querier: (input) => [
    "vlan configuration VLAN-OF-THE-SEGMENT",
    `  ip igmp snooping querier ${input.segment.gatewayAddress ?? "FREE-ADDRESS-OF-THE-SEGMENT"}`,
  ],
};

function render(input: ExportInput): string {
  return toText([
    ...commentLines("!", [...headerSentences(input), ...placeholderSentences(input)]),
    "configure terminal",
    ...accessLists(input, prefixes, (list) => `ip access-list ${list}`),
    `interface ${segmentInterfaceOf(input)}`,
    `  ip access-group ${aclName(input, "to-server")} in`,
    `  ip access-group ${aclName(input, "to-segment")} out`,
    "exit",
    ...relayLines(input, dialect),
    ...multicastLines(input, dialect),
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

export const ciscoNxos: Exporter = {
  title: "Cisco NX-OS, on the switch that routes the segment",
  device: "router",
  fileExtension: "txt",
  renderLine: (rule) => aclLines(rule, prefixes),
  renderMissing: (rule, input) => aclRemedy(rule, input, prefixes),
  renderNeed: (need, input) => switchNeed(need, input, dialect),
  render,
  renderRollback,
};
