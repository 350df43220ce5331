import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import { findingsOfChange, lintServer } from "../plan-lint.ts";
import type { PortolanServer } from "../server.ts";

const restartEffect =
  "running services keep their sockets; restart the server for ports and groups to follow";

export function settingsHandlers(server: PortolanServer) {
  const { settings } = server;
  return {
    listSettings: async () => settings.list(),
    setSetting: async ({ id, body }) => {
      const before = lintServer(server);
      await settings.set(id, body.value);
      const setting = settings.list().find((candidate) => candidate.key === id);
      if (setting === undefined) {
        throw new ApiError(404, "not-found", `there is no setting ${id}`);
      }
      return { setting, effect: restartEffect, findings: findingsOfChange(before, lintServer(server)) };
    },
    setProfile: async ({ body }) => {
      const before = lintServer(server);
      await settings.setProfile(body.profile);
      const findings = findingsOfChange(before, lintServer(server));
      return { profile: settings.profile, effect: restartEffect, findings };
    },
  } satisfies Partial<ApiHandlers>;
}
