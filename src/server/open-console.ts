import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeDurably } from "#platform/durable-file.ts";
import { listenTcp, type TcpListener } from "#platform/tcp.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { nobody } from "./accounts/principal.ts";
import { type Scope, Scopes } from "./accounts/scope.ts";
import { ApiError } from "./api-error.ts";
import { createConsoleTls } from "./console-tls.ts";
import { createHandlers } from "./api-handlers.ts";
import { type ApiHandlers, createApi, createApiListener } from "./api-server.ts";
import { collectCounters } from "./handlers/server-handlers.ts";
import { LiveEvents, type LiveSource } from "./live/live-events.ts";
import { remoteWindows } from "./remote/remote-window.ts";
import type { LatencyHistogram } from "./services/latency-histogram.ts";
import { UpgradeGate } from "./live/upgrade-gate.ts";
import { grantConsole, type PortolanServer } from "./server.ts";

/** Where the build of the console puts it. */
const consoleDir = fileURLToPath(new URL("../../var/console", import.meta.url));

export type OpenConsole = {
  /** Where a browser on this machine finds it. */
  readonly url: string;
  readonly close: () => Promise<void>;
};

function formatMetrics(server: PortolanServer, live: LiveEvents): string {
  const events = { ...collectCounters(server), ...Object.fromEntries(prefixed("live", live.counters)) };
  const computers = server.registry.list();
  const connectedCount = computers.filter(({ id }) => server.control.find(id) !== null).length;
  const sessions = server.imaging.list();
  return [
    "# HELP portolan_events_total What services saw and did, by service and reason.",
    "# TYPE portolan_events_total counter",
    ...Object.entries(events).map(
      ([name, count]) => `portolan_events_total{event="${escapeLabel(name)}"} ${count}`,
    ),
    ...formatBootAnswers(server.boot.dhcp.latency),
    "# HELP portolan_computers Computers on record, by state.",
    "# TYPE portolan_computers gauge",
    ...(["pending", "approved", "conflict"] as const).map(
      (state) =>
        `portolan_computers{state="${state}"} ${computers.filter((one) => one.state === state).length}`,
    ),
    "# HELP portolan_agents_connected Control connections now open.",
    "# TYPE portolan_agents_connected gauge",
    `portolan_agents_connected ${connectedCount}`,
    "# HELP portolan_imaging_sent_bytes Payload bytes of the sessions listed, repairs included.",
    "# TYPE portolan_imaging_sent_bytes gauge",
    `portolan_imaging_sent_bytes ${sessions.reduce((sum, session) => sum + session.sentBytes, 0)}`,
    "# HELP portolan_start_time_seconds Start of this server since the Unix epoch.",
    "# TYPE portolan_start_time_seconds gauge",
    `portolan_start_time_seconds ${Math.round(server.startedAtMs / 1000)}`,
    "",
  ].join("\n");
}

/** Buckets of Prometheus hold everything up to their bound. */
function formatBootAnswers(latency: LatencyHistogram): string[] {
  let sum = 0;
  const buckets = latency.columns().map(({ boundMs, count }) => {
    sum += count;
    const bound = Number.isFinite(boundMs) ? String(boundMs / 1000) : "+Inf";
    return `portolan_boot_answer_seconds_bucket{le="${bound}"} ${sum}`;
  });
  return [
    "# HELP portolan_boot_answer_seconds From the packet of a booting computer to our answer.",
    "# TYPE portolan_boot_answer_seconds histogram",
    ...buckets,
    `portolan_boot_answer_seconds_sum ${latency.sumMs / 1000}`,
    `portolan_boot_answer_seconds_count ${latency.count}`,
  ];
}

/** A reason may hold what a machine said. */
function escapeLabel(value: string): string {
  return value.replaceAll(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}

function prefixed(name: string, counters: ReadonlyMap<string, number>): [string, number][] {
  return [...counters].map(([reason, count]) => [`${name}.${reason}`, count]);
}

/** Live events show what the API would answer; that is how they can never show more. */
function createSource(handlers: ApiHandlers, wholeSite: Scope): LiveSource {
  const nothing = {
    body: undefined,
    query: undefined,
    principal: nobody,
    address: "",
    setCookie: () => undefined,
    setActor: () => undefined,
  };
  const orGone = async <Found>(found: Promise<Found>): Promise<Found | null> => {
    try {
      return await found;
    } catch (error) {
      if (error instanceof ApiError && (error.status === 404 || error.code === "outside-scope")) {
        return null;
      }
      throw error;
    }
  };
  return {
    wholeSite,
    computer: async (id, scope) =>
      scope.hasComputer(id) ? orGone(handlers.showComputer({ ...nothing, scope, id })) : null,
    job: (id, scope) => orGone(handlers.showJob({ ...nothing, scope, id })),
    sessions: (scope) => handlers.listSessions({ ...nothing, scope, query: {}, id: "" }),
  };
}

/** Opens API, live events and console on loopback and every named interface, and writes what the command line needs. */
export async function openConsole(server: PortolanServer, version: string): Promise<OpenConsole> {
  const { accounts, audit, changes, repeated, clock, log, config } = server;
  const handlers = createHandlers(server, version);
  const scopes = new Scopes(server);
  const live = new LiveEvents({ changes, source: createSource(handlers, scopes.wholeSite), clock, log });
  const gate = new UpgradeGate({ accounts, audit, scopes, log });
  gate.add(live.route);
  for (const route of remoteWindows({ remote: server.management.remote, registry: server.registry })) {
    gate.add(route);
  }
  const app = await createApi(
    { version, consoleDir, agentDownloads: server.management.agentDownloads },
    {
      ...{ handlers, accounts, audit, scopes, changes, repeated, log },
      epochMs: () => clock.epochMs(),
      metrics: () => formatMetrics(server, live),
    },
  );
  const loopback = server.network.interfaces().find((nic) => nic.isLoopback);
  const nics = [
    ...(loopback === undefined ? [] : [loopback]),
    ...server.interfaces.filter((nic) => !nic.isLoopback),
  ];
  const tls = createConsoleTls(server);
  const listeners: TcpListener[] = [];
  for (const nic of nics) {
    listeners.push(await listenTcp(grantConsole(server, nic), createApiListener(app, tls, gate)));
  }
  const host = loopback?.address ?? server.interfaces[0]?.address ?? Ipv4Address.any;
  const url = `https://${host}:${config.consolePort}`;
  const access = { url, token: server.adminToken, caPem: server.authority.certificatePem };
  await writeDurably(join(config.dataDir, "admin.json"), Buffer.from(JSON.stringify(access)), 0o600);
  return {
    url,
    async close() {
      live.stop();
      gate.closeAll();
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
}
