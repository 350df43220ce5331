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
import { commentLines, groupsOf, headerSentences, identifier, sentence, toText } from "./rule-text.ts";

const dialect: SwitchDialect = {
  indent: "   ",
  relayStart: [],
  helper: "ip helper-address",
  multicastStart: ["router multicast", "   ipv4", "      routing", "exit"],
  rendezvousPoints: (input) => [
    "router pim sparse-mode",
    "   ipv4",
    ...input.groups.map((group) => `      rp address ${rendezvousPointOf(input)} ${group}/32`),
    "exit",
  ],
  pim: "pim ipv4 sparse-mode",
  querier: (input) => [
    "ip igmp snooping querier",
    `ip igmp snooping querier address ${input.segment.gatewayAddress ?? "FREE-ADDRESS-OF-THE-SEGMENT"}`,
  ],
};

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
    ...relayLines(input, dialect),
    ...multicastLines(input, dialect),
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

export const aristaEos: Exporter = {
  title: "Arista EOS, on the switch that routes the segment",
  device: "router",
  fileExtension: "txt",
  renderLine: (rule) => aclLines(rule, prefixes),
  renderMissing: (rule, input) => aclRemedy(rule, input, prefixes),
  renderNeed: (need, input) => switchNeed(need, input, dialect),
  render,
  renderRollback,
};
