import { exportFormats, ExportFormatError, parseExportFormat } from "#plan/export/exporters.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";

/** What the plan cannot know about the devices between server and segment. */
export const boundaryFlags = {
  segment: { brief: "Name or subnet; needed where several are behind routers", placeholder: "SEGMENT" },
  multicast: { brief: "routed (default) or local: whether routers forward it", placeholder: "HOW" },
  "dhcp-server": { brief: "The site's DHCP servers, separated by commas", placeholder: "IP" },
  "segment-interface": { brief: "The router's interface into the segment", placeholder: "IF" },
  "server-interface": { brief: "The router's interface towards the server", placeholder: "IF" },
} as const;

/** @throws UsageError when `--multicast` is neither of its words */
export function readBoundaryFlags(given: Readonly<Record<string, string | undefined>>) {
  const { segment, multicast } = given;
  if (multicast !== undefined && multicast !== "routed" && multicast !== "local") {
    throw new UsageError(`--multicast ${multicast} is unknown; there are routed and local`);
  }
  return {
    segment,
    multicast,
    dhcpServers: given["dhcp-server"],
    segmentInterface: given["segment-interface"],
    serverInterface: given["server-interface"],
  } as const;
}

function readFormat(text: string): string {
  try {
    return parseExportFormat(text);
  } catch (error) {
    throw error instanceof ExportFormatError ? new UsageError(error.message) : error;
  }
}

export const exportCommand = apiCommand<[string]>({
  brief: `What must pass, as configuration of a device: ${exportFormats.join(", ")}`,
  arguments: ["FORMAT"],
  flags: boundaryFlags,
  switches: { rollback: { brief: "Print what takes it back" } },
  run: async ({ client, args: [text], flags, switches }) => {
    const query = readBoundaryFlags(flags);
    const exported = await client.call("exportPlan", { id: readFormat(text), query });
    const printed = switches["rollback"] === true ? exported.rollbackText : exported.text;
    return { json: exported, text: printed.trimEnd() };
  },
});

export const formatsCommand = apiCommand({
  brief: "Devices that the plan can be printed for",
  run: async ({ client }) => {
    const formats = await client.call("listExportFormats");
    const rows = formats.map(({ format, title, device }) => [format, device, title]);
    return { json: formats, text: formatTable(["format", "for a", "what it is"], rows) };
  },
});
