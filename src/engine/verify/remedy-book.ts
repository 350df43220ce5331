import type { BoundaryRule } from "#plan/export/boundary-rules.ts";
import type { Exporter, ExportInput } from "#plan/export/exporter.ts";
import { exporters, type ExportFormat, exportInputOf } from "#plan/export/exporters.ts";
import { linuxNeed } from "#plan/export/linux-needs.ts";
import type { Flow } from "#plan/flow.ts";
import type { Segment } from "#plan/segment.ts";
import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { RemedyBook } from "./cell.ts";

/** Formats whose router is a Linux machine. */
const linuxFormats: readonly ExportFormat[] = ["nftables", "iptables", "ufw", "firewalld", "frr", "smcroute"];

const placeOf = {
  "dhcp-relay": "on the router of the segment",
  querier: "on one switch or router of the segment",
  "multicast-routing": "on every router between",
} as const;

/** Where no device has lines, because no boundary is known; what follows is the server's address. */
const needSentence = {
  "dhcp-relay": "pass DHCP requests on to the DHCP server and to",
  querier: "switch the IGMP querier on; what is to arrive comes from",
  "multicast-routing": "route the groups of the plan (portolan plan show) from",
} as const;

function unicastSentence({ name }: Segment): string {
  return `or keep imaging of ${name} to unicast: portolan settings set imaging.threshold 0`;
}

function linesWithPlace(exporter: Exporter, rule: BoundaryRule, input: ExportInput): readonly string[] {
  return (exporter.renderMissing ?? exporter.renderLine)(rule, input);
}

/** A device that cannot have been in the way has no line: then it is one that filters, told as a Linux router is. */
function missingLines(rule: BoundaryRule, input: ExportInput, format: ExportFormat): string[] {
  const asked: Exporter = exporters[format];
  const lines = linesWithPlace(asked, rule, input);
  return lines.length > 0
    ? [...lines]
    : [
        `${asked.title}: has no line for this, so it is a filter elsewhere; here as nftables, --format NAME for another device:`,
        ...linesWithPlace(exporters.nftables, rule, input),
      ];
}

/** A range at the DHCP server, and behind a router the relay to it. */
function missingRange(segment: Segment, input: ExportInput | null, format: ExportFormat): string {
  const { renderRange, renderNeed, title }: Exporter = exporters[format];
  const subnet = Ipv4Subnet.format(segment.cidr);
  const range = input === null ? undefined : renderRange?.(input);
  const relay = input === null ? [] : (renderNeed ?? linuxNeed)("dhcp-relay", input);
  return [
    ...(range === undefined
      ? [`give the site's DHCP server a range in ${subnet}`]
      : [`a range (${title}), beside what stands there:`, ...range]),
    ...(relay.length === 0 || segment.interfaceName !== null
      ? []
      : [
          `and on the router of the segment (${renderNeed === undefined ? exporters.nftables.title : title}):`,
          // The same words for the other server that requests are passed on to.
          ...relay.map((line) => line.replaceAll(segment.serverAddress ?? "", "ADDRESS-OF-THE-DHCP-SERVER")),
        ]),
  ].join("\n");
}

/**
 * Remedies of one segment: the missing lines of a flow exactly as the exporter of the device writes them.
 *
 * @param given.format of the device that stands between; what `plan export` would be asked for
 */
export function createRemedyBook(given: {
  readonly segment: Segment;
  readonly flows: readonly Flow[];
  readonly serverName: string;
  readonly profile: string;
  readonly format: ExportFormat;
}): RemedyBook {
  const { segment, format } = given;
  const server = segment.serverAddress ?? "ADDRESS-OF-THIS-SERVER";
  // Without an address of ours there is no boundary yet, and nothing was probed.
  const input = segment.serverAddress === null ? null : exportInputOf(given);
  return {
    forFlow: (flow, direction) => {
      const rules =
        input?.rules.filter(
          ({ flowId, alsoFor }) => flowId === flow || alsoFor.some((other) => other === flow),
        ) ?? [];
      // A flow whose answers are tracked has one rule, whichever way the packet was lost.
      const rule =
        rules.find((candidate) => candidate.direction === direction) ??
        rules.find((candidate) => candidate.isAnswered);
      if (rule === undefined || input === null) {
        return null;
      }
      return missingLines(rule, input, format).join("\n");
    },
    forDevice: (what) => {
      if (what === "dhcp-server") {
        return missingRange(segment, input, format);
      }
      const { renderNeed, title }: Exporter = exporters[format];
      const isOther = renderNeed === undefined && !linuxFormats.includes(format);
      const lines = input === null ? [] : (renderNeed ?? linuxNeed)(what, input);
      const or = what === "multicast-routing" ? [unicastSentence(segment)] : [];
      return lines.length === 0
        ? [`${placeOf[what]}: ${needSentence[what]} ${server}`, ...or].join("\n")
        : [
            `${placeOf[what]} (${isOther ? "here as on Linux, --format NAME for another device" : title}):`,
            ...lines,
            ...or,
          ].join("\n");
    },
  };
}
