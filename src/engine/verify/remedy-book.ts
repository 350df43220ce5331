import type { Exporter } from "#plan/export/exporter.ts";
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

function unicastSentence({ name }: Segment): string {
  return `or keep imaging of ${name} to unicast: portolan settings set imaging.threshold 0`;
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
  const subnet = Ipv4Subnet.format(segment.cidr);
  // Without an address of ours there is no boundary yet, and nothing was probed.
  const input = segment.serverAddress === null ? null : exportInputOf(given);
  return {
    forFlow: (flow, direction) => {
      const rules = input?.rules.filter((rule) => rule.flowId === flow) ?? [];
      // A flow whose answers are tracked has one rule, whichever way the packet was lost.
      const rule =
        rules.find((candidate) => candidate.direction === direction) ??
        rules.find((candidate) => candidate.isAnswered);
      if (rule === undefined || input === null) {
        return null;
      }
      const { renderMissing, renderLine }: Exporter = exporters[format];
      const lines = (renderMissing ?? renderLine)(rule, input);
      return lines.length === 0 ? null : lines.join("\n");
    },
    forDevice: (what) => {
      const asked: Exporter = exporters[format];
      const isLinux = linuxFormats.includes(format);
      const renderNeed = asked.renderNeed ?? (isLinux ? linuxNeed : null);
      if (what !== "dhcp-server" && input !== null && renderNeed !== null) {
        const lines = renderNeed(what, input);
        if (lines.length > 0) {
          const or = what === "multicast-routing" ? `\n${unicastSentence(segment)}` : "";
          return `${placeOf[what]} (${asked.title}):\n${lines.join("\n")}${or}`;
        }
      }
      switch (what) {
        case "dhcp-relay":
          return `on the router of ${subnet}, on the interface of the segment: ip helper-address ${server}`;
        case "dhcp-server":
          return `give the site's DHCP server a range in ${subnet}, and the segment's router: ip helper-address ADDRESS-OF-THE-DHCP-SERVER`;
        case "querier":
          return "on one switch or router of the segment: ip igmp snooping querier (Linux bridge: ip link set dev BRIDGE type bridge mcast_querier 1)";
        case "multicast-routing":
          return `on every router between: ip multicast-routing, and ip pim sparse-mode on both interfaces; ${unicastSentence(segment)}`;
      }
    },
  };
}
