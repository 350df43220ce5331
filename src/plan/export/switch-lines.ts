import { helperAddresses, needsRelay, segmentInterfaceOf, serverInterfaceOf } from "./device-names.ts";
import { type DeviceNeed, needLines } from "./device-lines.ts";
import type { ExportInput } from "./exporter.ts";
import { groupsOf } from "./rule-text.ts";

/** The words of one maker, where several makers' switches are told the same in the same order. */
export type SwitchDialect = {
  readonly indent: string;
  /** What makes it a relay at all. */
  readonly relayStart: readonly string[];
  /** Before an address that requests are passed on to. */
  readonly helper: string;
  /** What makes it route multicast at all. */
  readonly multicastStart: readonly string[];
  readonly rendezvousPoints: (input: ExportInput) => readonly string[];
  /** On an interface. */
  readonly pim: string;
  readonly querier: (input: ExportInput) => readonly string[];
};

export function relayLines(input: ExportInput, dialect: SwitchDialect): string[] {
  if (!needsRelay(input)) {
    return [];
  }
  const { indent, relayStart, helper } = dialect;
  return [
    "!",
    "! Boot requests are broadcasts: the switch passes them on to the DHCP server and to us.",
    ...relayStart,
    `interface ${segmentInterfaceOf(input)}`,
    ...helperAddresses(input).map((address) => `${indent}${helper} ${address}`),
    "exit",
  ];
}

export function multicastLines(input: ExportInput, dialect: SwitchDialect): string[] {
  if (input.groups.length === 0) {
    return [];
  }
  const { indent, multicastStart, rendezvousPoints, pim } = dialect;
  const segmentInterface = segmentInterfaceOf(input);
  if (groupsOf(input.rules).length === 0) {
    return [
      "!",
      "! Multicast stays in its segment: no PIM here, so imaging across this switch is by unicast.",
      `interface ${segmentInterface}`,
      `${indent}no ${pim}`,
      "exit",
    ];
  }
  return [
    "!",
    "! Multicast is routed. PIM on the interface of the segment also makes this switch the IGMP querier there.",
    ...multicastStart,
    "! Leave these lines out where the site has a rendezvous point of its own.",
    ...rendezvousPoints(input),
    ...[segmentInterface, serverInterfaceOf(input)].flatMap((name) => [
      `interface ${name}`,
      `${indent}${pim}`,
      "exit",
    ]),
    "ip igmp snooping",
  ];
}

export function switchNeed(need: DeviceNeed, input: ExportInput, dialect: SwitchDialect): string[] {
  const lines = {
    "dhcp-relay": relayLines(input, dialect),
    "multicast-routing": multicastLines(input, dialect),
    querier: dialect.querier(input),
  };
  return needLines(need, lines, "!");
}
