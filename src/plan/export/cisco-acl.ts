import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { type AclEntry, aclEntries } from "./acl-entries.ts";
import type { BoundaryRule, RuleDirection } from "./boundary-rules.ts";
import { type PortSpan, spanText } from "./port-spans.ts";
import { aclName, needsRelay } from "./device-names.ts";
import type { ExportInput } from "./exporter.ts";
import { ruleLabel, sentence } from "./rule-text.ts";

/** How one family of devices writes addresses in access lists. */
export type AclDialect = { readonly subnet: (subnet: Ipv4Subnet) => string };

/** `192.168.20.0 0.0.0.255`, as IOS has it. */
export const wildcardMasks: AclDialect = {
  subnet: ({ address, prefixLength }) =>
    prefixLength === 32
      ? `host ${address}`
      : `${address} ${Ipv4Address.fromNumber(~Ipv4Subnet.mask(prefixLength) >>> 0)}`,
};

/** `192.168.20.0/24`, as NX-OS and EOS have it. */
export const prefixes: AclDialect = {
  subnet: (subnet) => (subnet.prefixLength === 32 ? `host ${subnet.address}` : Ipv4Subnet.format(subnet)),
};

function portText(ports: PortSpan | null): string {
  if (ports === null) {
    return "";
  }
  return ports.from === ports.to ? ` eq ${ports.from}` : ` range ${spanText(ports, " ")}`;
}

export function entryText(entry: AclEntry, dialect: AclDialect): string {
  const source = entry.source === null ? "any" : dialect.subnet(entry.source);
  const destination = entry.destination === null ? "any" : dialect.subnet(entry.destination);
  return (
    `permit ${entry.transport} ${source}${portText(entry.sourcePorts)} ` +
    `${destination}${portText(entry.destinationPorts)}${entry.isEstablished ? " established" : ""}`
  );
}

/** A rule's lines in both lists; the text alone does not tell which, so the remark does. */
export function aclLines(rule: BoundaryRule, dialect: AclDialect): string[] {
  return aclEntries(rule).map((entry) => entryText(entry, dialect));
}

/** The body of the list in one direction, a remark with the reason before the lines of each rule. */
function aclBody(input: ExportInput, direction: RuleDirection, dialect: AclDialect): string[] {
  const ofRules = input.rules.flatMap((rule) => {
    const entries = aclEntries(rule).filter((entry) => entry.direction === direction);
    const what = rule.direction === direction ? "" : "answers to ";
    return entries.length === 0
      ? []
      : [
          `remark ${sentence(`${what}${ruleLabel(rule, 80)}`, 96)}`,
          ...entries.map((entry) => entryText(entry, dialect)),
        ];
  });
  const isToServer = direction === "to-server";
  const asksForAddress =
    isToServer && needsRelay(input)
      ? ["remark computers without an address ask the relay of this router", "permit udp any eq 68 any eq 67"]
      : [];
  const membership =
    isToServer && input.groups.length > 0
      ? ["remark which groups the computers want", "permit igmp any any"]
      : [];
  const segment = dialect.subnet(input.segment.cidr);
  const server = dialect.subnet({ address: input.serverAddress, prefixLength: 32 });
  return [
    ...ofRules,
    ...asksForAddress,
    ...membership,
    "remark nothing else passes between this segment and this server",
    `deny ip ${isToServer ? `${segment} ${server}` : `${server} ${segment}`}`,
    "remark other traffic of the segment is not the matter of this list",
    "permit ip any any",
  ];
}

/** Both lists. `start` writes the line that opens a list of the device. */
export function accessLists(
  input: ExportInput,
  dialect: AclDialect,
  start: (name: string) => string,
): string[] {
  return (["to-server", "to-segment"] as const).flatMap((direction) => {
    const opening = start(aclName(input, direction));
    return [
      `no ${opening}`,
      opening,
      ...aclBody(input, direction, dialect).map((line) => ` ${line}`),
      "exit",
    ];
  });
}
