import { hostname } from "node:os";
import type { Logger } from "pino";
import type { BootEvent } from "#engine/boot/boot-event.ts";
import { compareSockets } from "#plan/compare-sockets.ts";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network, NetworkInterface } from "#platform/network.ts";
import { BootEventStore } from "#store/boot-event-store.ts";
import { type Database, openDatabase } from "#store/database.ts";
import type { ImageStore } from "#store/image-store.ts";
import { JobStore } from "#store/job-store.ts";
import { InstallerStore } from "#store/installer-store.ts";
import { PackageStore } from "#store/package-store.ts";
import { ServerStore } from "#store/server-store.ts";
import { SiteStore } from "#store/site-store.ts";
import type { Accounts } from "./accounts/accounts.ts";
import type { AuditLog } from "./accounts/audit-log.ts";
import type { KeyAccess } from "./accounts/key-access.ts";
import type { ProviderAccess } from "./accounts/provider-access.ts";
import { createAccounts, type ProviderSecret } from "./account-services.ts";
import { type BootServices, type BootServicesDependencies, createBootServices } from "./boot-services.ts";
import { createControl, createDiscovery, createRegistry, createSegments } from "./agent-services.ts";
import type { ChunkDesk } from "./chunk-desk.ts";
import type { ChunkFetch } from "./chunk-fetch.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { toBootEvent, toStoredBootEvent } from "./handlers/boot-handlers.ts";
import { type ComputerDirectory, createComputerDirectory } from "./computer-directory.ts";
import type { ComputerRegistry } from "./computer-registry.ts";
import type { ControlMove } from "./control-move.ts";
import { ConfigError, type ServerConfig } from "./config.ts";
import { describeConfigDrift } from "./config-drift.ts";
import type { ImageCatalogue } from "./image-catalogue.ts";
import type { CaptureService } from "./services/capture-service.ts";
import { createImageServices } from "./image-services.ts";
import { LivePlan } from "./live-plan.ts";
import type { RunningServices } from "./running-services.ts";
import { createImaging, createJobs, holdDoubtful } from "./job-services.ts";
import { SiteChanges } from "./live/site-changes.ts";
import { createManagement, type ManagementServices } from "./management-services.ts";
import { Operations } from "./operations.ts";
import { createInitialDeployment } from "./initial-deployment.ts";
import type { InitialDeploymentService } from "./services/initial-deployment-service.ts";
import type { BootEventSink } from "./services/boot-events.ts";
import type { ControlLink, ControlService } from "./services/control-service.ts";
import type { DiscoveryService } from "./services/discovery-service.ts";
import type { ImagingService } from "./services/imaging-service.ts";
import type { JobService } from "./services/job-service.ts";
import type { TransferService } from "./services/transfer-service.ts";
import { createSiteKey, SiteAuthority, type SiteKeyMaterial } from "./site-authority.ts";
import { RelaySightings } from "./relay-sightings.ts";
import type { RepeatedRequests } from "./repeated-requests.ts";
import type { SiteGroups } from "./site-groups.ts";
import type { SiteSegments } from "./site-segments.ts";
import type { SiteSettings } from "./site-settings.ts";
import type { SiteSync } from "./site-sync.ts";
import {
  createGroups,
  createLeases,
  createMove,
  createServices,
  createSettings,
  createSync,
} from "./site-services.ts";
import { createFindings, createVerify } from "./verify-services.ts";
import type { FindingService } from "./verify/finding-service.ts";
import { ProbeDesk } from "./verify/probe-desk.ts";
import { ProbeWatch } from "./verify/probe-watch.ts";
import type { VerifyService } from "./verify/verify-service.ts";

/** One running server: everything the API and the programs' ends need. Built by hand, top to bottom. */
export type PortolanServer = {
  readonly config: ServerConfig;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  readonly interfaces: readonly NetworkInterface[];
  /** The plan as it is now. */
  readonly flows: () => readonly Flow[];
  /** Where the open sockets or the configuration file disagree with the plan now. */
  readonly differences: () => readonly string[];
  readonly settings: SiteSettings;
  readonly authority: SiteAuthority;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly registry: ComputerRegistry;
  readonly segments: SiteSegments;
  readonly groups: SiteGroups;
  readonly move: ControlMove;
  readonly plan: LivePlan;
  readonly management: ManagementServices;
  readonly images: ImageStore;
  readonly packages: PackageStore;
  readonly installers: InstallerStore;
  readonly bootEvents: BootEventStore;
  readonly chunks: ChunkStore;
  readonly chunkDesk: ChunkDesk;
  readonly chunkFetch: ChunkFetch;
  readonly catalogue: ImageCatalogue;
  readonly captures: CaptureService;
  readonly boot: BootServices;
  readonly control: ControlService;
  readonly discovery: DiscoveryService;
  readonly transfers: TransferService;
  readonly imaging: ImagingService;
  readonly jobs: JobService;
  readonly jobStore: JobStore;
  readonly initial: InitialDeploymentService;
  readonly verify: VerifyService;
  readonly findings: FindingService;
  readonly operations: Operations;
  readonly accounts: Accounts;
  readonly keyAccess: KeyAccess;
  readonly providerAccess: ProviderAccess;
  readonly providerSecret: ProviderSecret;
  readonly audit: AuditLog;
  /** Requests that were sent with a key. */
  readonly repeated: RepeatedRequests;
  /** What consoles are told live. */
  readonly changes: SiteChanges;
  /** Bearer token of this machine's administrator, new at every start. */
  readonly adminToken: string;
  readonly startedAtMs: number;
  readonly services: RunningServices;
  readonly sync: SiteSync;
  stop(): Promise<void>;
};

function chooseInterfaces(config: ServerConfig, network: Network): NetworkInterface[] {
  const all = network.interfaces();
  return config.interfaces.map((name) => {
    const found = all.find((nic) => nic.name === name);
    if (found === undefined) {
      const names = all.map((nic) => nic.name).join(", ");
      throw new ConfigError(`there is no interface ${name} with an IPv4 address; there are: ${names}`);
    }
    return found;
  });
}

async function openAuthority(site: SiteStore, clock: Clock): Promise<SiteAuthority> {
  const text = await site.readOrCreate("site-key", async () =>
    JSON.stringify(await createSiteKey(clock.epochMs())),
  );
  return new SiteAuthority(JSON.parse(text) as SiteKeyMaterial);
}

/** Kernel words of the operator, for a serial console or a stubborn card. */
function extraKernelArguments(): readonly string[] {
  return (process.env["PORTOLAN_KERNEL_ARGUMENTS"] ?? "").split(/\s+/).filter((word) => word !== "");
}

export type ServerParts = Pick<
  PortolanServer,
  "config" | "network" | "clock" | "log" | "interfaces" | "flows" | "settings" | "authority" | "tls" | "plan"
> & {
  readonly db: Database;
  readonly services: () => RunningServices;
};

/** Jobs learn that a computer is on its way; the store keeps why it is or is not; consoles see it. */
async function keepBootEvents(
  events: readonly BootEvent[],
  {
    bootEvents,
    jobs,
    changes,
    management,
    findings,
  }: Pick<PortolanServer, "bootEvents" | "jobs" | "changes" | "management" | "findings">,
  sightings: RelaySightings,
): Promise<void> {
  for (const event of events) {
    sightings.note(event);
    if (event.computerId !== null) {
      management.wake.seen(event.computerId);
    }
    if (event.stage === "script" && event.outcome === "done" && event.computerId !== null) {
      jobs.bootOffered(event.computerId);
    }
  }
  findings.seeBootEvents(events);
  const kept = events.map(toStoredBootEvent);
  await bootEvents.insert(kept);
  kept.forEach((event) => changes.bootEvent(toBootEvent(event)));
}

function createBoot(
  parts: ServerParts,
  directory: ComputerDirectory,
  watching: Pick<BootServicesDependencies, "probes" | "observe" | "control">,
  given: { readonly sink: BootEventSink; readonly segments: () => SiteSegments },
): BootServices {
  const { config, network, clock, log, interfaces, flows, settings, authority } = parts;
  const leases = createLeases(parts, given.segments);
  return createBootServices(
    {
      ...{ flows, interfaces, relays: config.relays, dataDir: config.dataDir },
      siteKeyFingerprint: authority.fingerprint,
      extraKernelArguments: extraKernelArguments(),
    },
    {
      network,
      clock,
      log,
      settings: () => settings.current(),
      directory,
      ...watching,
      leases,
      sink: given.sink,
    },
  );
}

/** The services, and the wires between them. */
function assemble(
  parts: ServerParts,
): Omit<PortolanServer, "stop" | "services" | "sync" | "startedAtMs" | "differences"> {
  const { config, network, clock, log, interfaces, flows, settings, authority, tls, db } = parts;
  const directory = createComputerDirectory();
  const changes = new SiteChanges();
  const bootEvents = new BootEventStore(db);
  const sightings = new RelaySightings(config.relays);
  const packages = new PackageStore(db);
  const findLink = (computerId: string): ControlLink | null => control.find(computerId);
  const onLost = (imageId: string, reason: string): void => imaging.loseContent(imageId, reason);
  const { readManifest, captures, ...stored } = createImageServices(parts, packages, findLink, onLost);
  const probes = { watch: new ProbeWatch(), desk: new ProbeDesk(clock) };
  const { findings, store } = createFindings(parts, () => segments.current());
  const watching = {
    probes: probes.watch,
    observe: findings.observe.bind(findings),
    control: () => control,
  };
  const boot = createBoot(parts, directory, watching, {
    sink: (events) => keepBootEvents(events, { bootEvents, jobs, changes, management, findings }, sightings),
    segments: () => segments,
  });
  const registry = createRegistry({
    parts,
    directory,
    findLink,
    boot,
    jobs: () => jobs,
    management: () => management,
    onPublished: (id) => {
      changes.computer(id);
      initial.changed(id);
      holdDoubtful(registry.get(id), jobs, log);
    },
  });
  const groups = createGroups(db, changes);
  const segments = createSegments({ parts, registry, sightings, findLink });
  const imaging = createImaging({ parts, readManifest, findLink, ...stored, jobs: () => jobs });
  const initial = createInitialDeployment(() => built);
  const management = createManagement({ parts, registry, changes, control: () => control });
  const jobs = createJobs({
    ...{ parts, registry, segments, packages, findLink, captures, changes, management },
    ...{ transfers: stored.transfers, imaging: () => imaging },
  });
  const move = createMove({ parts, registry, management, control: () => control, services: parts.services });
  const discovery = createDiscovery(parts, registry, probes.watch, () => control);
  const control = createControl({
    ...{ parts, registry, jobs, imaging, boot, management, move, initial, findings },
    probes: probes.desk,
  });
  const verify = createVerify({
    ...{ parts, registry, segments, control, boot, transfers: stored.transfers, findings, store },
    ...{ management, ...probes },
  });
  const built = {
    ...{ config, network, clock, log, interfaces, flows, settings, authority, tls, plan: parts.plan },
    ...{
      ...{ ...stored, captures, registry, segments, groups, move, management, bootEvents, boot, control },
      ...{ discovery, imaging, jobs, verify, findings, packages, jobStore: new JobStore(db) },
      installers: new InstallerStore(db),
      operations: new Operations(),
    },
    ...{ ...createAccounts(parts), changes, initial },
  };
  return built;
}

/**
 * Opens the store and builds a server; nothing listens yet.
 *
 * @param readConfig the configuration as a restart would find it
 * @throws ConfigError | StoreError | SettingError
 */
export async function createServer(
  config: ServerConfig,
  clock: Clock,
  log: Logger,
  network: Network,
  readConfig: () => ServerConfig = () => config,
): Promise<PortolanServer> {
  const interfaces = chooseInterfaces(config, network);
  const db = await openDatabase(config.databaseUrl, config.dataDir);
  const site = new SiteStore(db);
  const servers = new ServerStore(db);
  const settings = createSettings(config, db, { site, servers });
  await settings.load();
  const authority = await openAuthority(site, clock);
  const plan = new LivePlan(() => settings.current(), { consolePort: config.consolePort, interfaces });
  const flows = (): readonly Flow[] => plan.flows();
  const addresses = interfaces.map((nic) => nic.address);
  const tls = await authority.issueServer(config.name || hostname(), addresses, clock.epochMs());
  const parts = {
    config,
    network,
    clock,
    log,
    interfaces,
    flows,
    settings,
    authority,
    tls,
    db,
    plan,
    services: () => services,
  };
  const server = assemble(parts);
  const services = createServices(parts, server);
  const names = interfaces.map(({ name }) => name);
  const differences = (): string[] => [
    ...compareSockets(flows(), network.openSockets(), names),
    ...describeConfigDrift(config, readConfig),
  ];
  const { segments, groups, move, chunkDesk } = server;
  const sync = createSync({ parts, servers, services, segments, groups, move, chunkDesk, differences });
  return {
    ...server,
    differences,
    startedAtMs: clock.epochMs(),
    services,
    sync,
    async stop() {
      await sync.stop();
      server.jobs.stop();
      server.management.wake.stop();
      server.management.remote.stop();
      await server.imaging.stop();
      await services.stop();
      await server.registry.stop();
      await server.boot.recorder.stop();
      await db.destroy();
    },
  };
}

/** The grant of the API's socket on one address. */
export function grantConsole(server: PortolanServer, nic: NetworkInterface): ReturnType<typeof grantSocket> {
  return grantSocket(findFlow(server.flows(), "console.https"), {
    role: "server",
    side: "listen",
    interfaceName: nic.name,
    localAddress: nic.address,
    localPort: server.config.consolePort,
  });
}
