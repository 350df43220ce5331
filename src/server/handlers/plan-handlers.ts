import type { ApiHandlers } from "../api-server.ts";
import { reportPlan } from "../plan-report.ts";
import type { PortolanServer } from "../server.ts";

export function planHandlers(server: PortolanServer) {
  const { settings, config, interfaces, flows, network } = server;
  return {
    showPlan: async () =>
      reportPlan({
        flows: flows(),
        sockets: network.openSockets(),
        interfaces,
        segments: server.segments.current(),
        profile: settings.profile,
        serverName: config.name,
        nowMs: server.clock.epochMs(),
      }),
  } satisfies Partial<ApiHandlers>;
}
