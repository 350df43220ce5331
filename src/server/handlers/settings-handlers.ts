import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

const restartEffect =
  "running services keep their sockets; restart the server for ports and groups to follow";

export function settingsHandlers(server: PortolanServer) {
  const { settings } = server;
  return {
    listSettings: async () => settings.list(),
    setSetting: async ({ id, body }) => {
      await settings.set(id, body.value);
      const setting = settings.list().find((candidate) => candidate.key === id);
      if (setting === undefined) {
        throw new ApiError(404, "not-found", `there is no setting ${id}`);
      }
      return { setting, effect: restartEffect };
    },
    setProfile: async ({ body }) => {
      await settings.setProfile(body.profile);
      return { profile: settings.profile, effect: restartEffect };
    },
  } satisfies Partial<ApiHandlers>;
}
