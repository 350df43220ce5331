import type { ServerResource } from "#api/server-api.ts";
import { apiCommand } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatTime } from "../format-units.ts";

function formatStatus(server: ServerResource): string {
  const services = server.services.map((service) => [service.name, service.state, service.reason ?? ""]);
  const counters = Object.entries(server.counters).map(([name, count]) => [name, String(count)]);
  return [
    `server ${server.name}, version ${server.version}, running since ${formatTime(server.startedAt)}`,
    `site key ${server.siteKeyFingerprint}`,
    `serves on ${server.interfaces.map((item) => `${item.name} (${item.address}/${item.prefixLength})`).join(", ")}`,
    "",
    formatTable(["service", "state", "why"], services),
    ...(counters.length === 0 ? [] : ["", formatTable(["counter", "count"], counters)]),
    ...server.limits.map((limit) => `limit: ${limit}`),
  ].join("\n");
}

export const statusCommand = apiCommand({
  brief: "This server: services, interfaces, counters",
  run: async ({ client }) => {
    const server = await client.call("showServer");
    const hasFailed = server.services.some((service) => service.state === "failed");
    return { json: server, text: formatStatus(server), exitCode: hasFailed ? 1 : 0 };
  },
});
