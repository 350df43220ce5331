import type { BoundaryRule } from "./boundary-rules.ts";
import { placeholderSentences, segmentInterfaceOf, serverInterfaceOf } from "./device-names.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import { commentLines, headerSentences, ruleLabel, sentence, toText } from "./rule-text.ts";

/** From the side a rule's packets enter on to the other. The kernel must join a group to be given its packets. */
function renderLine(rule: BoundaryRule, input: ExportInput): string[] {
  const ends = [segmentInterfaceOf(input), serverInterfaceOf(input)];
  const [from, to] = rule.direction === "to-server" ? ends : ends.toReversed();
  const source = rule.direction === "to-server" ? "" : ` source ${input.serverAddress}`;
  return rule.groups.flatMap((group) => [
    `mgroup from ${from} group ${group}`,
    `mroute from ${from}${source} group ${group} to ${to}`,
  ]);
}

function render(input: ExportInput): string {
  return toText([
    ...commentLines("#", [
      ...headerSentences(input),
      ...placeholderSentences(input).slice(0, -1),
      "Static multicast routes for smcrouted, where PIM would be more than is needed.",
    ]),
    ...[serverInterfaceOf(input), segmentInterfaceOf(input)].map(
      (name) => `phyint ${name} enable ttl-threshold 1`,
    ),
    ...input.rules
      .filter(({ groups }) => groups.length > 0)
      .flatMap((rule) => [`# ${ruleLabel(rule, 120)}. ${sentence(rule.reason)}`, ...renderLine(rule, input)]),
  ]);
}

export const smcroute: Exporter = {
  title: "smcroute (static multicast routes), on a Linux router",
  device: "router",
  fileExtension: "conf",
  renderLine,
  render,
  renderRollback: (input) =>
    toText([
      `# No multicast is routed for segment ${sentence(input.segment.name)}: load this in place of the other file.`,
    ]),
};
