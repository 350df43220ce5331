import { computeFlows } from "#plan/flows.ts";
import { findPortClash } from "#plan/port-clash.ts";
import { SettingError } from "#plan/setting-rules.ts";
import type { Settings } from "#plan/settings.ts";
import { AgentStore } from "#store/agent-store.ts";
import { ControlMoveStore } from "#store/control-move-store.ts";
import type { Database } from "#store/database.ts";
import type { SiteChanges } from "./live/site-changes.ts";
import { GroupStore } from "#store/group-store.ts";
import { LeaseStore } from "#store/lease-store.ts";
import type { ServerStore } from "#store/server-store.ts";
import { listenToSite, notifySite } from "#store/site-notices.ts";
import { SiteStore } from "#store/site-store.ts";
import type { ComputerRegistry } from "./computer-registry.ts";
import type { ChunkDesk } from "./chunk-desk.ts";
import { ControlMove, type FollowedPlan } from "./control-move.ts";
import type { ManagementServices } from "./management-services.ts";
import type { ControlService } from "./services/control-service.ts";
import type { ServerConfig } from "./config.ts";
import { RunningServices } from "./running-services.ts";
import type { PortolanServer, ServerParts } from "./server.ts";
import { LeaseService } from "./services/lease-service.ts";
import { SiteGroups } from "./site-groups.ts";
import type { SiteSegments } from "./site-segments.ts";
import { SiteSettings } from "./site-settings.ts";
import { SiteSync } from "./site-sync.ts";

/** Two listeners on one port are refused before they are written down. */
export function createSettings(
  { name: serverName, consolePort }: ServerConfig,
  db: Database,
  stores: { readonly site: SiteStore; readonly servers: ServerStore },
): SiteSettings {
  return new SiteSettings({
    ...stores,
    serverName,
    check: (settings) => {
      const clash = findPortClash(computeFlows(settings, { consolePort }));
      if (clash !== null) {
        const [first, second] = clash.flowIds;
        throw new SettingError(
          "bad-setting-value",
          second,
          `TCP port ${clash.port} would be that of ${first} and of ${second}; choose another port for one of them`,
        );
      }
    },
    notify: () => notifySite(db, "settings"),
  });
}

/** Groups of computers; every console learns who was moved. */
export function createGroups(db: Database, changes: SiteChanges): SiteGroups {
  return new SiteGroups({
    store: new GroupStore(db),
    onChanged: (movedIds) => {
      movedIds.forEach((id) => changes.computer(id));
      changes.area("groups");
    },
    notify: () => notifySite(db, "groups"),
  });
}

/** Addresses for segments without another DHCP server; the router they are told is the one the operator named. */
export function createLeases(
  { db, config, settings, clock, log }: ServerParts,
  segments: () => SiteSegments,
): LeaseService {
  return new LeaseService({
    settings: () => settings.current(),
    store: new LeaseStore(db, config.name),
    clock,
    log,
    gatewayOf: (nic) =>
      segments()
        .current()
        .find(({ interfaceName }) => interfaceName === nic.name)?.gatewayAddress ?? null,
  });
}

/** In the order in which they start: what computers meet last is there first. */
export function createServices(
  { flows, network, clock, log }: ServerParts,
  server: Pick<PortolanServer, "boot" | "control" | "discovery" | "transfers">,
): RunningServices {
  const rows = [
    ["control", ["agent.control"], server.control],
    ["transfer", ["transfer.data"], server.transfers],
    ["discovery", ["agent.discovery"], server.discovery],
    ["dhcp", ["boot.dhcp", "boot.server"], server.boot.dhcp],
    ["tftp", ["boot.tftp"], server.boot.tftp],
    ["http-boot", ["boot.http"], server.boot.http],
  ] as const;
  return new RunningServices(
    rows.map(([name, flowIds, service]) => ({
      name,
      flowIds,
      start: () => service.start(),
      stop: () => service.stop(),
    })),
    { flows, openSockets: () => network.openSockets(), clock, log },
  );
}

function followedPlan(settings: Settings): FollowedPlan {
  const discovery = { group: settings["discovery.group"], port: settings["discovery.port"] };
  return { port: settings["control.tcpPort"], discovery };
}

/** Moves agents to another control port, and keeps the old one open for who is left. */
export function createMove(given: {
  readonly parts: ServerParts;
  readonly registry: ComputerRegistry;
  readonly control: () => ControlService;
  readonly management: ManagementServices;
  readonly services: () => RunningServices;
}): ControlMove {
  const { parts, registry, control, management, services } = given;
  const { config, plan, settings, clock, log, db } = parts;
  return new ControlMove({
    store: new ControlMoveStore(db, config.name),
    ...{ plan, clock, log, control },
    site: new SiteStore(db),
    planned: () => followedPlan(settings.current()),
    readAgents: () => new AgentStore(db).list(),
    computers: () => registry.list(),
    agentSettings: management.agentSettings,
    onReleased: () => {
      services()
        .follow()
        .catch((error: unknown) => log.error({ err: error }, "closing old control ports"));
    },
  });
}

/** Follows the site's settings and says what this server runs with. */
export function createSync(given: {
  readonly parts: ServerParts;
  readonly servers: ServerStore;
  readonly services: RunningServices;
  readonly segments: SiteSegments;
  readonly groups: SiteGroups;
  readonly move: ControlMove;
  readonly chunkDesk: ChunkDesk;
  readonly differences: () => readonly string[];
}): SiteSync {
  const { parts, servers, services, segments, groups, move, chunkDesk, differences } = given;
  const { config, settings, clock, log } = parts;
  return new SiteSync({
    ...{ serverName: config.name, startedAtMs: clock.epochMs(), servers, settings, segments, services },
    ...{ clock, log, groups, move, chunkDesk, differences, interfaces: parts.interfaces },
    listen: (onNotice) => listenToSite(config.databaseUrl, onNotice),
  });
}
