import type { Flow } from "#plan/flow.ts";
import { type BoundaryRule, computeBoundaryRules } from "#plan/export/boundary-rules.ts";
import type { Segment } from "#plan/segment.ts";
import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { RemedyBook } from "./cell.ts";
import type { CellSubject } from "./verdict.ts";

/** Renders the lines of one rule in the words of a device. */
export type RuleRenderer = {
  /** What the lines are for, such as `nftables`. */
  readonly formatName: string;
  readonly renderLine: (rule: BoundaryRule) => readonly string[];
};

function isFor(rule: BoundaryRule, subject: CellSubject): boolean {
  return [rule.flowId, ...rule.alsoFor].some((flowId) => flowId === subject);
}

/**
 * Remedies of one segment: the missing line of a flow exactly as the exporter of the device writes it.
 *
 * @param serverAddress the address that the segment's agents use
 */
export function createRemedyBook(given: {
  readonly segment: Segment;
  readonly flows: readonly Flow[];
  readonly renderer: RuleRenderer;
}): RemedyBook {
  const { segment, flows, renderer } = given;
  const rules = segment.serverAddress === null ? [] : computeBoundaryRules(flows, segment);
  const server = segment.serverAddress ?? "the server";
  const subnet = Ipv4Subnet.format(segment.cidr);
  return {
    forFlow: (flow, direction) => {
      const rule =
        rules.find((candidate) => isFor(candidate, flow) && candidate.direction === direction) ??
        // A flow whose answers are tracked has one rule, whichever way the packet was lost.
        rules.find((candidate) => isFor(candidate, flow) && candidate.isAnswered);
      return rule === undefined
        ? null
        : [`${renderer.formatName}:`, ...renderer.renderLine(rule)].join(" ").trim();
    },
    forDevice: (what) => {
      switch (what) {
        case "dhcp-relay":
          return `on the router of ${subnet}, in the interface of the segment: ip helper-address ${server}`;
        case "dhcp-server":
          return `give the site's DHCP server a range in ${subnet}, and the segment's router: ip helper-address ADDRESS-OF-THE-DHCP-SERVER`;
        case "querier":
          return "on one switch or router of the segment: ip igmp snooping querier (Linux bridge: ip link set dev BRIDGE type bridge mcast_querier 1)";
        case "multicast-routing":
          return `on every router between: ip multicast-routing, and ip pim sparse-mode on both interfaces; or keep imaging of ${segment.name} to unicast: portolan settings set imaging.threshold 0`;
      }
    },
  };
}
