import { exporters, exportFormats, exportInputOf, type ExportRequest } from "#plan/export/exporters.ts";
import { computeFlows } from "#plan/flows.ts";
import type { Segment } from "#plan/segment.ts";
import { type ProfileName, settingProfiles } from "#plan/settings.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";

/** The segment of every example: 192.168.20.0/24 behind a router with a relay, server 192.168.10.1. */
export const farSegment: Segment = {
  name: "far",
  cidr: { address: Ipv4Address.parse("192.168.20.0"), prefixLength: 24 },
  intent: "imaging",
  interfaceName: null,
  serverAddress: Ipv4Address.parse("192.168.10.1"),
  gatewayAddress: Ipv4Address.parse("192.168.20.254"),
  relayAddress: Ipv4Address.parse("192.168.20.254"),
  origin: "operator",
};

export function farRequest(profile: ProfileName): ExportRequest {
  return {
    flows: computeFlows(settingProfiles[profile], { consolePort: 8443 }),
    segment: farSegment,
    serverName: "ds1",
    profile,
    dhcpServerAddresses: [Ipv4Address.parse("192.168.10.2")],
    segmentInterface: "eth1",
    serverInterface: "eth0",
  };
}

export type ExportExample = { readonly path: string; readonly text: string };

const goldenFolder = "src/plan/export/golden";

/** What each exporter should write for that segment, in both profiles, without routed multicast, and to take it back. */
export function listExportExamples(): ExportExample[] {
  return exportFormats.flatMap((format) => {
    const exporter = exporters[format];
    const firewall = exportInputOf(farRequest("firewall"));
    const texts: Readonly<Record<string, string>> = {
      classic: exporter.render(exportInputOf(farRequest("classic"))),
      firewall: exporter.render(firewall),
      rollback: exporter.renderRollback(firewall),
      ...(exporter.device === "router"
        ? { local: exporter.render(exportInputOf({ ...farRequest("firewall"), multicast: "local" })) }
        : {}),
    };
    return Object.entries(texts).map(([name, text]) => ({
      path: `${goldenFolder}/${format}-${name}.txt`,
      text,
    }));
  });
}
