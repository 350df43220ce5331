import { buildRouteMap } from "@stricli/core";
import type { BootFileResource } from "#api/resources.ts";
import { apiCommand } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatBytes } from "../format-units.ts";
import { formatBootEvents } from "./computer-command.ts";

function formatBootFiles(files: readonly BootFileResource[]): string {
  if (files.length === 0) {
    return "no boot files yet; make them with portolan boot build";
  }
  const rows = files.map((file) => [file.name, formatBytes(file.sizeBytes), file.sha256, file.purpose]);
  return formatTable(["name", "size", "sha-256", "purpose"], rows);
}

export const bootCommand = buildRouteMap({
  docs: { brief: "Boot files and boot events" },
  routes: {
    list: apiCommand({
      brief: "What network boot serves, with hashes",
      run: async ({ client }) => {
        const files = await client.call("listBootFiles");
        return { json: files, text: formatBootFiles(files) };
      },
    }),
    events: apiCommand({
      brief: "Boot events of all computers, newest first",
      run: async ({ client }) => {
        const events = await client.call("listBootEvents");
        return { json: events, text: formatBootEvents(events) };
      },
    }),
  },
});
