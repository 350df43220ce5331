import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import { findingsOfChange, lintServer } from "../plan-lint.ts";
import { describeChange } from "../running-services.ts";
import type { PortolanServer } from "../server.ts";

export function settingsHandlers(server: PortolanServer) {
  const { settings, services } = server;

  /** What a change did: to sockets, and to what lint finds. */
  async function follow(change: () => Promise<void>) {
    const before = lintServer(server);
    await change();
    const done = await services.follow();
    return {
      effect: describeChange(done),
      problems: [...done.problems],
      findings: findingsOfChange(before, lintServer(server)),
    };
  }

  return {
    listSettings: async () => settings.list(),
    setSetting: async ({ id, body }) => {
      const effect = await follow(() => settings.set(id, body.value));
      const setting = settings.list().find((candidate) => candidate.key === id);
      if (setting === undefined) {
        throw new ApiError(404, "not-found", `there is no setting ${id}`);
      }
      return { setting, ...effect };
    },
    setProfile: async ({ body }) => {
      const effect = await follow(() => settings.setProfile(body.profile));
      return { profile: settings.profile, ...effect };
    },
  } satisfies Partial<ApiHandlers>;
}
