import { setTimeout } from "node:timers/promises";
import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

/** Every counter of every service, as `service.reason`. */
export function collectCounters(server: PortolanServer): Record<string, number> {
  const { boot, control, discovery, transfers } = server;
  const sources: readonly [string, ReadonlyMap<string, number>][] = [
    ["dhcp", boot.dhcp.counters],
    ["tftp", boot.tftp.counters],
    ["http-boot", boot.http.counters],
    ["control", control.counters],
    ["discovery", discovery.counters],
    ["transfer", transfers.counters],
    ["remote", server.management.remote.counters],
  ];
  return Object.fromEntries(
    sources.flatMap(([name, counters]) =>
      [...counters].map(([reason, count]) => [`${name}.${reason}`, count]),
    ),
  );
}

const databaseAnswerMsMax = 3000;

/**
 * Says no more than that something is wrong: anybody may ask.
 *
 * @throws ApiError 503
 */
async function requireReady(server: PortolanServer): Promise<void> {
  const answers = await Promise.race([
    server.accounts.needsFirstUser().then(
      () => true,
      () => false,
    ),
    setTimeout(databaseAnswerMsMax, false, { ref: false }),
  ]);
  if (!answers) {
    throw new ApiError(503, "database-away", "the database does not answer", 5000);
  }
  if ([...server.services.states.values()].some(({ state }) => state === "failed")) {
    throw new ApiError(503, "service-failed", "a service is not running; portolan status says which", 30_000);
  }
}

export function serverHandlers(server: PortolanServer, version: string) {
  const { settings, config, interfaces, network } = server;
  return {
    showHealth: async () => ({ ok: true as const }),
    showReadiness: async () => {
      await requireReady(server);
      return { ok: true as const };
    },
    showServer: async () => ({
      name: config.name,
      version,
      startedAt: Math.round(server.startedAtMs),
      siteKeyFingerprint: server.authority.fingerprint,
      profile: settings.profile,
      interfaces: interfaces.map(({ name, address, prefixLength }) => ({ name, address, prefixLength })),
      services: [...server.services.states].map(([name, { state, reason }]) => ({ name, state, reason })),
      limits: [...network.limits()],
      counters: { ...collectCounters(server), "control.connected": server.control.linkCount },
      bootAnswers: {
        count: server.boot.dhcp.latency.count,
        maxMs: server.boot.dhcp.latency.maxMs,
        columns: server.boot.dhcp.latency
          .columns()
          .map(({ boundMs, count }) => ({ boundMs: Number.isFinite(boundMs) ? boundMs : null, count })),
      },
    }),
    showOperation: async ({ id }) => {
      const operation = server.operations.find(id);
      if (operation === null) {
        throw new ApiError(
          404,
          "not-found",
          `there is no operation ${id}; the server may have been restarted`,
        );
      }
      return operation;
    },
  } satisfies Partial<ApiHandlers>;
}
