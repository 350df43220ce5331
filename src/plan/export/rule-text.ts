import { type Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { BoundaryRule } from "./boundary-rules.ts";
import type { ExportInput } from "./exporter.ts";

/** `192.168.10.1` for a host, otherwise CIDR. */
export function subnetText(subnet: Ipv4Subnet): string {
  return subnet.prefixLength === 32 ? subnet.address : Ipv4Subnet.format(subnet);
}

/** Where a rule's packets go: each group, or its one destination. `null`: anywhere. */
export function destinationsOf(rule: BoundaryRule): readonly (Ipv4Subnet | null)[] {
  return rule.groups.length === 0
    ? [rule.destination]
    : rule.groups.map((address) => ({ address, prefixLength: 32 }));
}

/**
 * A segment's name as part of an identifier of a device: letters, digits and the separator. Names are the
 * operator's text; nothing of them reaches a device file but through here and `sentence`.
 */
export function identifier(input: ExportInput, separator: "-" | "_", lengthMax: number): string {
  const name = input.segment.name.replaceAll(/[^A-Za-z0-9]+/g, separator);
  return `portolan${separator}${name}`.slice(0, lengthMax);
}

/** Text for comments and quoted strings of every device: printable ASCII without quotes, one line. */
export function sentence(text: string, lengthMax = 400): string {
  return text
    .replaceAll("→", "to")
    .replaceAll("–", "-")
    .replaceAll("§", "section ")
    .replaceAll(/["'`\\]/g, "")
    .replaceAll(/[^ -~]+/g, " ")
    .slice(0, lengthMax)
    .trim();
}

/** `boot.tftp/to-server: TFTP read requests`, short enough for every device that limits comments. */
export function ruleLabel(rule: BoundaryRule, lengthMax: number): string {
  return sentence(`${rule.id}: ${rule.title}`, lengthMax);
}

/** The first lines of every file: which pair, which profile. */
export function headerSentences(input: ExportInput): string[] {
  const { serverName, serverAddress, segment, profile } = input;
  const subnet = Ipv4Subnet.format(segment.cidr);
  return [
    `Portolan: what must pass between server ${serverName} (${serverAddress}) and segment ${segment.name} (${subnet}).`,
    `Profile ${profile}. Loading this again changes nothing; the same export as rollback takes it back.`,
  ].map((text) => text.replaceAll(/[^ -~]+/g, " "));
}

/** Lines with a comment mark before each. */
export function commentLines(mark: string, sentences: readonly string[]): string[] {
  return sentences.map((text) => `${mark} ${text}`.trimEnd());
}

export function toText(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

/** Groups of the rules that really cross, each once. */
export function groupsOf(rules: readonly BoundaryRule[]): Ipv4Address[] {
  return [...new Set(rules.flatMap(({ groups }) => groups))];
}
