import type { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { BoundaryRule, RuleDirection } from "./boundary-rules.ts";
import { type PortSpan } from "./port-spans.ts";
import { destinationsOf } from "./rule-text.ts";

/** One line of a filter that keeps no track of connections. */
export type AclEntry = {
  readonly direction: RuleDirection;
  readonly transport: "udp" | "tcp";
  /** `null`: any. */
  readonly source: Ipv4Subnet | null;
  readonly sourcePorts: PortSpan | null;
  readonly destination: Ipv4Subnet | null;
  readonly destinationPorts: PortSpan | null;
  /** TCP segments that belong to a connection: not the first one. */
  readonly isEstablished: boolean;
};

function opposite(direction: RuleDirection): RuleDirection {
  return direction === "to-server" ? "to-segment" : "to-server";
}

/** The answer's line: ends swapped. UDP answers are told by their source port alone, which is all such a filter has. */
function answerTo(entry: AclEntry): AclEntry {
  return {
    direction: opposite(entry.direction),
    transport: entry.transport,
    source: entry.destination,
    sourcePorts: entry.destinationPorts,
    destination: entry.source,
    destinationPorts: entry.sourcePorts,
    isEstablished: entry.transport === "tcp",
  };
}

/** The lines a rule needs on a device without connection tracking, first towards its destination, then the answers. */
export function aclEntries(rule: BoundaryRule): AclEntry[] {
  const sources = rule.sourcePorts === null ? [null] : rule.sourcePorts;
  const forward = destinationsOf(rule).flatMap((destination) =>
    sources.flatMap((sourcePorts) =>
      rule.destinationPorts.map((destinationPorts) => ({
        direction: rule.direction,
        transport: rule.transport,
        source: rule.source,
        sourcePorts,
        destination,
        destinationPorts,
        isEstablished: false,
      })),
    ),
  );
  return rule.isAnswered ? [...forward, ...forward.map(answerTo)] : forward;
}
