import type { SettingResource } from "#api/settings-api.ts";
import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import { findingsOfChange, lintServer } from "../plan-lint.ts";
import { describeChange } from "../running-services.ts";
import type { PortolanServer } from "../server.ts";

export function settingsHandlers(server: PortolanServer) {
  const { settings, sync, config } = server;

  /** Servers of the site by name; this one is always there. @throws ApiError `not-found` */
  async function requireServer(name: string | undefined): Promise<string | null> {
    if (name === undefined || name === config.name) {
      return name ?? null;
    }
    const names = (await sync.list()).map((one) => one.name);
    if (!names.includes(name)) {
      throw new ApiError(404, "not-found", `the site has no server ${name}; it has: ${names.join(", ")}`);
    }
    return name;
  }

  async function list(name: string | null): Promise<SettingResource[]> {
    const alive = (await sync.list()).filter(({ isAlive }) => isAlive);
    return settings.list(name ?? config.name, alive);
  }

  /** What a change did: to sockets here, and to what lint finds. */
  async function follow(change: () => Promise<void>) {
    const before = lintServer(server);
    await change();
    const done = await sync.follow();
    return {
      effect: describeChange(done),
      problems: [...done.problems],
      findings: findingsOfChange(before, lintServer(server)),
    };
  }

  async function changeOne(id: string, name: string | null, change: () => Promise<void>) {
    const effect = await follow(change);
    const setting = (await list(name)).find(({ key }) => key === id);
    if (setting === undefined) {
      throw new ApiError(404, "not-found", `there is no setting ${id}`);
    }
    const isElsewhere = name !== null && name !== config.name;
    return {
      setting,
      ...effect,
      effect: isElsewhere ? `${name} follows within seconds; portolan settings list shows it` : effect.effect,
    };
  }

  return {
    listServers: async () =>
      (await sync.list()).map(({ name, startedAtMs, seenAtMs, isAlive, problems }) => ({
        ...{ name, isAlive, problems: [...problems], isThis: name === config.name },
        ...{ startedAt: Math.round(startedAtMs), seenAt: Math.round(seenAtMs) },
      })),
    listSettings: async ({ query }) => list(await requireServer(query.server)),
    setSetting: async ({ id, body }) => {
      const name = await requireServer(body.server);
      return changeOne(id, name, () => settings.set(id, body.value, name));
    },
    resetSetting: async ({ id, body }) => {
      const name = await requireServer(body.server);
      return changeOne(id, name, () => settings.reset(id, name));
    },
    setProfile: async ({ body }) => {
      const effect = await follow(() => settings.setProfile(body.profile));
      return { profile: settings.profile, ...effect };
    },
  } satisfies Partial<ApiHandlers>;
}
