import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { type BoundaryRule, isDhcpRule } from "./boundary-rules.ts";
import { type PortSpan, spanText } from "./port-spans.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import {
  commentLines,
  groupsOf,
  headerSentences,
  identifier,
  ruleLabel,
  sentence,
  subnetText,
  toText,
} from "./rule-text.ts";

/** Two bits that no other program is known to use; masked, so that other marks on the packet survive. */
const allowedMark = "0x40200000";

/** nft refuses longer ones. */
const commentLengthMax = 120;

function setText(items: readonly string[]): string {
  return items.length === 1 ? (items[0] ?? "") : `{ ${items.join(", ")} }`;
}

function portText(ports: readonly PortSpan[]): string {
  return setText(ports.map((span) => spanText(span)));
}

function renderLine(rule: BoundaryRule): string[] {
  const destination = rule.groups.length > 0 ? setText(rule.groups) : null;
  const words = [
    rule.source === null ? "" : `ip saddr ${subnetText(rule.source)}`,
    destination === null ? "" : `ip daddr ${destination}`,
    destination !== null || rule.destination === null ? "" : `ip daddr ${subnetText(rule.destination)}`,
    rule.sourcePorts === null ? "" : `${rule.transport} sport ${portText(rule.sourcePorts)}`,
    `${rule.transport} dport ${portText(rule.destinationPorts)}`,
    `counter goto allow comment "${ruleLabel(rule, commentLengthMax)}"`,
  ];
  return [words.filter((word) => word !== "").join(" ")];
}

function renderMissing(rule: BoundaryRule, input: ExportInput): string[] {
  return [`# table inet ${identifier(input, "_", 60)}, chain rules:`, ...renderLine(rule)];
}

function withReasons(rules: readonly BoundaryRule[]): string[] {
  return rules.flatMap((rule) => [
    `\t\t# ${sentence(rule.reason)}`,
    ...renderLine(rule).map((line) => `\t\t${line}`),
  ]);
}

/** Only the answering direction, so that taking a rule away stops its datagrams at once. */
const answersChain = [
  "\tchain answers {",
  '\t\tct state related goto allow comment "errors about allowed conversations"',
  '\t\tct state established ct direction reply goto allow comment "answers"',
  '\t\tmeta l4proto tcp ct state established goto allow comment "open connections survive a change of rules"',
  "\t}",
  "",
];

function ruleChain({ rules, serverAddress }: ExportInput): string[] {
  return [
    "\tchain rules {",
    ...withReasons(rules.filter(isDhcpRule)),
    "\t\t# A relay's requests and the answers to them are two one-way flows, each with its own rule above.",
    '\t\tudp sport 67 udp dport 67 return comment "DHCP through relays is not tracked"',
    "\t\t# What belongs to a conversation that a rule below has allowed to begin.",
    `\t\tip saddr ${serverAddress} jump answers`,
    `\t\tip daddr ${serverAddress} jump answers`,
    ...withReasons(rules.filter((rule) => !isDhcpRule(rule))),
    "\t}",
  ];
}

/** On the router between them: everything else of this pair stays closed, other traffic is not this file's matter. */
function forwardChain(input: ExportInput): string[] {
  const { segment, serverAddress, rules } = input;
  const subnet = Ipv4Subnet.format(segment.cidr);
  const groups = groupsOf(rules);
  return [
    "\tchain forward {",
    "\t\ttype filter hook forward priority filter - 5; policy accept;",
    "\t\tjump rules",
    "\t\t# Nothing else passes between this segment and this server.",
    `\t\tip saddr ${subnet} ip daddr ${setText([serverAddress, ...groups])} counter drop comment "closed towards the server"`,
    `\t\tip saddr ${serverAddress} ip daddr ${setText([subnet, ...groups])} counter drop comment "closed towards the segment"`,
    "\t}",
  ];
}

/** The relay is often a program of the router itself; on the server's own segment this is the server's firewall. */
function hostChain(hook: "input" | "output", input: ExportInput): string[] {
  const membership =
    groupsOf(input.rules).length === 0
      ? []
      : [
          "\t\t# Who wants which group: queries of the router, reports of the computers.",
          '\t\tip protocol igmp goto allow comment "multicast membership"',
        ];
  return [
    `\tchain ${hook} {`,
    `\t\ttype filter hook ${hook} priority filter - 5; policy accept;`,
    ...membership,
    "\t\tjump rules",
    "\t}",
  ];
}

function render(input: ExportInput): string {
  const table = `inet ${identifier(input, "_", 60)}`;
  const isRouted = input.segment.interfaceName === null;
  return toText([
    "#!/usr/sbin/nft -f",
    ...commentLines("#", [
      ...headerSentences(input),
      "",
      "Packets that may pass are marked. Where your own ruleset drops by default, it lets them through with",
      "one line at the top of its chain, the same for every segment:",
      `    meta mark and ${allowedMark} == ${allowedMark} accept`,
    ]),
    "",
    `table ${table}`,
    `delete table ${table}`,
    `table ${table} {`,
    "\tchain allow {",
    `\t\tmeta mark set meta mark or ${allowedMark} accept comment "let through by Portolan's rules"`,
    "\t}",
    "",
    ...answersChain,
    ...ruleChain(input),
    "",
    ...(isRouted ? [...forwardChain(input), ""] : []),
    ...hostChain("input", input),
    "",
    ...hostChain("output", input),
    "}",
  ]);
}

function renderRollback(input: ExportInput): string {
  const table = `inet ${identifier(input, "_", 60)}`;
  return toText([
    "#!/usr/sbin/nft -f",
    `# Takes back Portolan's rules for segment ${sentence(input.segment.name)}. Naming the table first makes this work when it is gone.`,
    `table ${table}`,
    `delete table ${table}`,
  ]);
}

/** A table of its own: replaced as a whole, atomically, and removed without a trace. */
export const nftables: Exporter = {
  title: "nftables, on the Linux router (or the server, for its own segments)",
  device: "router",
  fileExtension: "nft",
  renderLine,
  renderMissing,
  render,
  renderRollback,
};
