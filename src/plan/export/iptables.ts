import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { type BoundaryRule, isDhcpRule } from "./boundary-rules.ts";
import { type PortSpan, spanText } from "./port-spans.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import {
  commentLines,
  destinationsOf,
  groupsOf,
  headerSentences,
  identifier,
  ruleLabel,
  sentence,
  subnetText,
  toText,
} from "./rule-text.ts";

/** The kernel's limit for chain names is 28. */
function chainOf(input: ExportInput): string {
  return identifier(input, "-", 28).toUpperCase();
}

/** `multiport` takes at most 15 ports, a range counting as two; more become several rules. */
function portMatches(option: "dports" | "sports", ports: readonly PortSpan[]): string[] {
  const spans = ports;
  const texts: string[] = [];
  for (let index = 0; index < spans.length; index += 7) {
    const part = spans.slice(index, index + 7).map((span) => spanText(span, ":"));
    texts.push(`-m multiport --${option} ${part.join(",")}`);
  }
  return texts;
}

function renderLine(rule: BoundaryRule, input: ExportInput): string[] {
  const sources = rule.sourcePorts === null ? [""] : portMatches("sports", rule.sourcePorts);
  return destinationsOf(rule).flatMap((destination) =>
    sources.flatMap((sourcePorts) =>
      portMatches("dports", rule.destinationPorts).map((destinationPorts) =>
        [
          `-A ${chainOf(input)}`,
          rule.source === null ? "" : `-s ${subnetText(rule.source)}`,
          destination === null ? "" : `-d ${subnetText(destination)}`,
          `-p ${rule.transport}`,
          sourcePorts,
          destinationPorts,
          `-m comment --comment "${ruleLabel(rule, 250)}" -j ACCEPT`,
        ]
          .filter((word) => word !== "")
          .join(" "),
      ),
    ),
  );
}

function withReasons(rules: readonly BoundaryRule[], input: ExportInput): string[] {
  return rules.flatMap((rule) => [`# ${sentence(rule.reason)}`, ...renderLine(rule, input)]);
}

/** Only the answering direction, so that taking a rule away stops its datagrams at once. */
function answerLines(chain: string, serverAddress: string): string[] {
  return ["-s", "-d"].flatMap((side) => {
    const start = `-A ${chain} ${side} ${serverAddress}`;
    return [
      `${start} -m conntrack --ctstate RELATED -m comment --comment "errors about allowed conversations" -j ACCEPT`,
      `${start} -m conntrack --ctstate ESTABLISHED --ctdir REPLY -m comment --comment "answers" -j ACCEPT`,
      `${start} -p tcp -m conntrack --ctstate ESTABLISHED -m comment --comment "open connections survive a change of rules" -j ACCEPT`,
    ];
  });
}

function closingLines(input: ExportInput, chain: string): string[] {
  const { segment, serverAddress, rules } = input;
  const subnet = Ipv4Subnet.format(segment.cidr);
  const pairs = [
    ...[serverAddress, ...groupsOf(rules)].map((to) => [subnet, to]),
    ...[subnet, ...groupsOf(rules)].map((to) => [serverAddress, to]),
  ];
  return [
    "# Nothing else is forwarded between this segment and this server.",
    ...pairs.map(
      ([from, to]) => `-A ${chain} -s ${from} -d ${to} -m comment --comment "closed by the plan" -j DROP`,
    ),
  ];
}

function render(input: ExportInput): string {
  const chain = chainOf(input);
  const isRouted = input.segment.interfaceName === null;
  const closed = `${chain.slice(0, 24)}-END`;
  return toText([
    "#!/bin/sh",
    ...commentLines("#", headerSentences(input)),
    "set -eu",
    "",
    "# The chains are flushed and filled in one step.",
    "iptables-restore --noflush <<'RULES'",
    "*filter",
    `:${chain} - [0:0]`,
    `:${closed} - [0:0]`,
    ...withReasons(input.rules.filter(isDhcpRule), input),
    "# A relay's requests and the answers to them are two one-way flows, each with its own rule above.",
    `-A ${chain} -p udp --sport 67 --dport 67 -m comment --comment "DHCP through relays is not tracked" -j RETURN`,
    "# What belongs to a conversation that a rule below has allowed to begin.",
    ...answerLines(chain, input.serverAddress),
    ...withReasons(
      input.rules.filter((rule) => !isDhcpRule(rule)),
      input,
    ),
    ...(isRouted ? closingLines(input, closed) : []),
    "COMMIT",
    "RULES",
    "",
    "# The jumps are added where they are missing: before other rules, the closing ones right behind.",
    ...hookLines(chain, closed, isRouted),
  ]);
}

function hookLines(chain: string, closed: string, isRouted: boolean): string[] {
  const hooks = isRouted
    ? [`FORWARD ${closed}`, `FORWARD ${chain}`, `INPUT ${chain}`, `OUTPUT ${chain}`]
    : [`INPUT ${chain}`, `OUTPUT ${chain}`];
  return hooks.map((hook) => {
    const [from, to] = hook.split(" ");
    return `iptables -C ${from} -j ${to} 2>/dev/null || iptables -I ${from} 1 -j ${to}`;
  });
}

function renderRollback(input: ExportInput): string {
  const chain = chainOf(input);
  const closed = `${chain.slice(0, 24)}-END`;
  const hooks = [`FORWARD ${chain}`, `FORWARD ${closed}`, `INPUT ${chain}`, `OUTPUT ${chain}`];
  return toText([
    "#!/bin/sh",
    `# Takes back Portolan's rules for segment ${sentence(input.segment.name)}.`,
    ...hooks
      .map((hook) => hook.split(" "))
      .map(([from, to]) => `iptables -D ${from} -j ${to} 2>/dev/null || true`),
    ...[chain, closed].flatMap((name) => [
      `iptables -F ${name} 2>/dev/null || true`,
      `iptables -X ${name} 2>/dev/null || true`,
    ]),
  ]);
}

/** A shell script, because the jump to our chain must be added once and `iptables-restore` cannot ask whether it is there. */
export const iptables: Exporter = {
  title: "iptables, on the Linux router (or the server, for its own segments)",
  device: "router",
  fileExtension: "sh",
  renderLine,
  render,
  renderRollback,
};
