import type { ServerResource } from "#api/server-api.ts";
import { apiCommand } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatTime } from "../format-units.ts";

/** Columns that nothing fell into say nothing. */
function formatBootAnswers({ count, maxMs, columns }: ServerResource["bootAnswers"]): string[] {
  const rows = columns
    .filter((column) => column.count > 0)
    .map(({ boundMs, count: inColumn }) => [
      boundMs === null ? "longer" : `at most ${boundMs} ms`,
      String(inColumn),
      `${((100 * inColumn) / count).toFixed(0)} %`,
    ]);
  return count === 0
    ? []
    : ["", formatTable(["boot answers", "count", "share"], rows), `the slowest took ${maxMs.toFixed(1)} ms`];
}

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
    ...formatBootAnswers(server.bootAnswers),
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
