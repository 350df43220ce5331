import { type BoundaryRule, computeBoundaryRules } from "#plan/export/boundary-rules.ts";
import { spanText } from "#plan/export/port-spans.ts";
import { destinationsOf, subnetText } from "#plan/export/rule-text.ts";
import type { Flow } from "#plan/flow.ts";
import type { SegmentResource } from "#api/segment-api.ts";
import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";

/** One rule at the boundary of one segment, as it is and as it would be. `null`: there is none. */
export type RuleChange = {
  readonly segment: string;
  readonly ruleId: string;
  readonly title: string;
  readonly before: string | null;
  readonly after: string | null;
};

const anywhere = "any";

/** A rule as one line: transport, whence, whither, and the ports. */
function lineOf(rule: BoundaryRule): string {
  const source = rule.source === null ? anywhere : subnetText(rule.source);
  const destinations = destinationsOf(rule).map((to) => (to === null ? anywhere : subnetText(to)));
  const ports = rule.destinationPorts.map((span) => spanText(span, "–")).join(", ");
  return `${rule.transport.toUpperCase()} ${source} → ${destinations.join(", ")} ${ports}`;
}

/** Rules of a segment by id. A segment whose server address is not known has none yet. */
function rulesOf(flows: readonly Flow[], segment: SegmentResource): ReadonlyMap<string, BoundaryRule> {
  const { serverAddress, gatewayAddress, relayAddress } = segment;
  if (segment.intent === "none" || serverAddress === null) {
    return new Map();
  }
  const [network = "", prefixLength = "32"] = segment.cidr.split("/");
  const rules = computeBoundaryRules(flows, {
    name: segment.name,
    cidr: Ipv4Subnet.of(Ipv4Address.parse(network), Number(prefixLength)),
    intent: segment.intent,
    interfaceName: segment.interface,
    serverAddress: Ipv4Address.parse(serverAddress),
    gatewayAddress: gatewayAddress === null ? null : Ipv4Address.parse(gatewayAddress),
    relayAddress: relayAddress === null ? null : Ipv4Address.parse(relayAddress),
    origin: segment.origin,
  });
  return new Map(rules.map((rule) => [rule.id, rule]));
}

/** Which rules of which boundary a change of the flows changes: what would have to be asked of the network team. */
export function computeRuleChanges(
  before: readonly Flow[],
  after: readonly Flow[],
  segments: readonly SegmentResource[],
): RuleChange[] {
  return segments.flatMap((segment) => {
    const [old, next] = [rulesOf(before, segment), rulesOf(after, segment)];
    return [...new Set([...old.keys(), ...next.keys()])].flatMap((ruleId) => {
      const [was, is] = [old.get(ruleId), next.get(ruleId)];
      const [oldLine, newLine] = [was, is].map((rule) => (rule === undefined ? null : lineOf(rule)));
      return oldLine === newLine
        ? []
        : [
            {
              segment: segment.name,
              ruleId,
              title: is?.title ?? was?.title ?? ruleId,
              before: oldLine ?? null,
              after: newLine ?? null,
            },
          ];
    });
  });
}
