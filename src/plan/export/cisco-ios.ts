import { accessLists, aclLines, wildcardMasks } from "./cisco-acl.ts";
import {
  aclName,
  helperAddresses,
  needsRelay,
  placeholderSentences,
  rendezvousPointOf,
  segmentInterfaceOf,
  serverInterfaceOf,
} from "./device-names.ts";
import { aclRemedy, needLines } from "./device-lines.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import { commentLines, groupsOf, headerSentences, sentence, toText } from "./rule-text.ts";

function relayLines(input: ExportInput): string[] {
  if (!needsRelay(input)) {
    return [];
  }
  return [
    "!",
    "! Boot requests are broadcasts: the router passes them on to the DHCP server and to us.",
    ...(input.dhcpServerAddresses.length === 0
      ? ["! The helper address of your DHCP server stays as it is; ours comes beside it, not in its place."]
      : []),
    "! BOOTP is forwarded unless somebody switched that off. Helpers forward other broadcasts too (37, 49, 53, 69,",
    "! 137, 138); where nothing needs them: no ip forward-protocol udp netbios-ns, and so on.",
    "ip forward-protocol udp bootps",
    `interface ${segmentInterfaceOf(input)}`,
    ...helperAddresses(input).map((address) => ` ip helper-address ${address}`),
    "exit",
  ];
}

function multicastLines(input: ExportInput): string[] {
  if (input.groups.length === 0) {
    return [];
  }
  const groups = input.groups.map((group) => ` permit host ${group}`);
  const list = aclName(input, "to-segment").replace(/-OUT$/, "-GROUPS");
  if (input.multicast === "local" || groupsOf(input.rules).length === 0) {
    return [
      "!",
      "! Multicast stays in its segment: imaging across this router is by unicast.",
      `no ip access-list standard ${list}`,
      `ip access-list standard ${list}`,
      ...input.groups.map((group) => ` deny host ${group}`),
      " permit any",
      "exit",
      `interface ${segmentInterfaceOf(input)}`,
      ` ip multicast boundary ${list}`,
      "exit",
    ];
  }
  return [
    "!",
    "! Multicast is routed. PIM on the interface of the segment also makes this router the IGMP querier there;",
    "! without a querier, snooping switches stop forwarding the groups after about four minutes.",
    "ip multicast-routing",
    `no ip access-list standard ${list}`,
    `ip access-list standard ${list}`,
    ...groups,
    "exit",
    "! Leave this line out where the site has a rendezvous point of its own.",
    `ip pim rp-address ${rendezvousPointOf(input)} ${list}`,
    ...[segmentInterfaceOf(input), serverInterfaceOf(input)].flatMap((name) => [
      `interface ${name}`,
      " ip pim sparse-mode",
      "exit",
    ]),
    "ip igmp snooping",
  ];
}

function edgeLines(): string[] {
  return [
    "!",
    "! Ports of computers forward at once: spanning tree would keep them silent for 30 to 50 s, longer than",
    "! boot firmware waits. BPDU guard takes a port out of service that turns out to be no edge.",
    "interface range EDGE-PORTS",
    " spanning-tree portfast",
    " spanning-tree bpduguard enable",
    "exit",
  ];
}

function render(input: ExportInput): string {
  const name = segmentInterfaceOf(input);
  return toText([
    ...commentLines("!", [...headerSentences(input), ...placeholderSentences(input)]),
    "configure terminal",
    ...accessLists(input, wildcardMasks, (list) => `ip access-list extended ${list}`),
    `interface ${name}`,
    ` ip access-group ${aclName(input, "to-server")} in`,
    ` ip access-group ${aclName(input, "to-segment")} out`,
    "exit",
    ...relayLines(input),
    ...multicastLines(input),
    ...edgeLines(),
    "end",
  ]);
}

function renderRollback(input: ExportInput): string {
  const name = segmentInterfaceOf(input);
  const groupList = aclName(input, "to-segment").replace(/-OUT$/, "-GROUPS");
  const isRoutedMulticast = groupsOf(input.rules).length > 0;
  return toText([
    `! Takes back Portolan's lines for segment ${sentence(input.segment.name)}. PIM, snooping and edge ports stay: others may use them.`,
    "configure terminal",
    `interface ${name}`,
    ` no ip access-group ${aclName(input, "to-server")} in`,
    ` no ip access-group ${aclName(input, "to-segment")} out`,
    ...(needsRelay(input) ? [` no ip helper-address ${input.serverAddress}`] : []),
    ...(input.groups.length > 0 && !isRoutedMulticast ? [` no ip multicast boundary ${groupList}`] : []),
    "exit",
    ...(isRoutedMulticast ? [`no ip pim rp-address ${rendezvousPointOf(input)} ${groupList}`] : []),
    ...(["to-server", "to-segment"] as const).map(
      (direction) => `no ip access-list extended ${aclName(input, direction)}`,
    ),
    ...(input.groups.length > 0 ? [`no ip access-list standard ${groupList}`] : []),
    "end",
  ]);
}

export const ciscoIos: Exporter = {
  title: "Cisco IOS and IOS XE, on the router of the segment",
  device: "router",
  fileExtension: "txt",
  renderLine: (rule) => aclLines(rule, wildcardMasks),
  renderMissing: (rule, input) => aclRemedy(rule, input, wildcardMasks),
  renderNeed: (need, input) =>
    needLines(
      need,
      {
        "dhcp-relay": relayLines(input),
        "multicast-routing": multicastLines(input),
        querier: ["ip igmp snooping querier"],
      },
      "!",
    ),
  render,
  renderRollback,
};
