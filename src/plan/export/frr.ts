import {
  placeholderSentences,
  rendezvousPointOf,
  segmentInterfaceOf,
  serverInterfaceOf,
} from "./device-names.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import { commentLines, groupsOf, headerSentences, sentence, toText } from "./rule-text.ts";

function render(input: ExportInput): string {
  const groups = groupsOf(input.rules);
  const [, , ...rest] = headerSentences(input);
  const interfaces = [segmentInterfaceOf(input), serverInterfaceOf(input)];
  return toText([
    ...commentLines("!", [
      ...headerSentences(input),
      ...rest,
      ...placeholderSentences(input).slice(0, -1),
      "FRRouting routes multicast here; it filters nothing: the firewall has its own file.",
    ]),
    ...(groups.length === 0
      ? [
          "! Multicast stays in its segment: no PIM on its interface, so imaging across this router is by unicast.",
          ...[`interface ${segmentInterfaceOf(input)}`, " no ip pim", "exit"],
        ]
      : [
          "! Leave these lines out where the site has a rendezvous point of its own.",
          ...groups.map((group) => `ip pim rp ${rendezvousPointOf(input)} ${group}/32`),
          ...interfaces.flatMap((name) => [
            `interface ${name}`,
            "! IGMP hears which groups are wanted and is the querier that snooping switches need.",
            ...[" ip igmp", " ip pim", "exit"],
          ]),
        ]),
  ]);
}

function renderRollback(input: ExportInput): string {
  return toText([
    `! Takes back Portolan's lines for segment ${sentence(input.segment.name)}. PIM on the interface towards the server stays.`,
    ...groupsOf(input.rules).map((group) => `no ip pim rp ${rendezvousPointOf(input)} ${group}/32`),
    ...[`interface ${segmentInterfaceOf(input)}`, " no ip igmp", " no ip pim", "exit"],
  ]);
}

export const frr: Exporter = {
  title: "FRRouting (PIM and IGMP), on a Linux router",
  device: "router",
  fileExtension: "conf",
  renderLine: () => [],
  render,
  renderRollback,
};
