import type { ApiHandlers } from "../api-server.ts";
import { reportPlan } from "../plan-report.ts";
import type { PortolanServer } from "../server.ts";

export function planHandlers(server: PortolanServer) {
  const { settings, config, flows, network, differences, sync } = server;
  return {
    showPlan: async () =>
      reportPlan({
        flows: flows(),
        sockets: network.openSockets(),
        segments: server.segments.current(),
        profile: settings.profile,
        serverName: config.name,
        differences: differences(),
        others: (await sync.listOthers()).map((other) => ({
          server: other.server.name,
          isAlive: other.server.isAlive,
          seenAt: Math.round(other.server.seenAtMs),
          differences: [...other.differences],
        })),
        nowMs: server.clock.epochMs(),
      }),
  } satisfies Partial<ApiHandlers>;
}
