import { hostname } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Flow } from "#plan/flow.ts";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import { createNetwork } from "#platform/create-network.ts";
import { NetworkError } from "#platform/network-error.ts";
import type { Network, NetworkInterface } from "#platform/network.ts";
import { BootEventStore } from "#store/boot-event-store.ts";
import { ComputerStore } from "#store/computer-store.ts";
import { type Database, openDatabase } from "#store/database.ts";
import { ImageStore } from "#store/image-store.ts";
import { JobStore } from "#store/job-store.ts";
import { SiteStore } from "#store/site-store.ts";
import { type BootServices, createBootServices } from "./boot-services.ts";
import { createControl, createDiscovery } from "./agent-services.ts";
import { ChunkStore } from "./chunk-store.ts";
import { type ComputerDirectory, createComputerDirectory } from "./computer-directory.ts";
import { ComputerRegistry } from "./computer-registry.ts";
import { ConfigError, type ServerConfig } from "./config.ts";
import { Operations } from "./operations.ts";
import { type ControlLink, ControlService } from "./services/control-service.ts";
import { DiscoveryService } from "./services/discovery-service.ts";
import { ImagingService } from "./services/imaging-service.ts";
import { JobService } from "./services/job-service.ts";
import { TransferService } from "./services/transfer-service.ts";
import { sendMagicPackets } from "./send-magic-packets.ts";
import { createSiteKey, SiteAuthority, type SiteKeyMaterial } from "./site-authority.ts";
import { SiteSettings } from "./site-settings.ts";

/** One running server: everything the API and the programs' ends need. Built by hand, top to bottom. */
export type PortolanServer = {
  readonly config: ServerConfig;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  readonly interfaces: readonly NetworkInterface[];
  readonly flows: readonly Flow[];
  readonly settings: SiteSettings;
  readonly authority: SiteAuthority;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly registry: ComputerRegistry;
  readonly images: ImageStore;
  readonly bootEvents: BootEventStore;
  readonly chunks: ChunkStore;
  readonly boot: BootServices;
  readonly control: ControlService;
  readonly discovery: DiscoveryService;
  readonly transfers: TransferService;
  readonly imaging: ImagingService;
  readonly jobs: JobService;
  readonly operations: Operations;
  readonly startedAtMs: number;
  readonly serviceStates: Map<string, { state: "running" | "off" | "failed"; reason: string | null }>;
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
  "config" | "network" | "clock" | "log" | "interfaces" | "flows" | "settings" | "authority" | "tls"
> & {
  readonly db: Database;
};

/** Boot tokens of its last life may be shown to a server this long after its start. */
const youngMs = 10 * 60_000;

/** The services, and the wires between them. */
function assemble(parts: ServerParts): Omit<PortolanServer, "stop" | "serviceStates" | "startedAtMs"> {
  const { config, network, clock, log, interfaces, flows, settings, authority, tls, db } = parts;
  const directory = createComputerDirectory();
  const bootEvents = new BootEventStore(db);
  const images = new ImageStore(db);
  const chunks = new ChunkStore(join(config.dataDir, "chunks"));
  const findLink = (computerId: string): ControlLink | null => control.find(computerId);
  const boot = createBootServices(
    {
      flows,
      interfaces,
      relays: config.relays,
      dataDir: config.dataDir,
      siteKeyFingerprint: authority.fingerprint,
      extraKernelArguments: extraKernelArguments(),
    },
    {
      network,
      clock,
      log,
      settings: () => settings.current(),
      directory,
      sink: async (events) => {
        for (const event of events) {
          if (event.stage === "script" && event.outcome === "done" && event.computerId !== null) {
            jobs.bootOffered(event.computerId);
          }
        }
        await bootEvents.insert(events);
      },
    },
  );
  const registry = createRegistry({
    parts,
    directory,
    findLink,
    boot,
    hasPrebootWork: (id) => jobs.hasPrebootWork(id),
  });
  const transfers = new TransferService(
    { flows, transferPort: settings.current()["transfer.port"], tls },
    { authority, clock, log, chunks },
  );
  const imaging = createImaging({ parts, chunks, transfers, images, findLink, jobs: () => jobs });
  const jobs = createJobs({ parts, registry, findLink, imaging: () => imaging });
  const discovery = createDiscovery(parts, registry);
  const control = createControl({ parts, registry, jobs, imaging, boot });
  return {
    ...{ config, network, clock, log, interfaces, flows, settings, authority, tls },
    ...{
      registry,
      images,
      bootEvents,
      chunks,
      boot,
      control,
      discovery,
      transfers,
      imaging,
      jobs,
      operations: new Operations(),
    },
  };
}

function createRegistry(given: {
  readonly parts: ServerParts;
  readonly directory: ComputerDirectory;
  readonly boot: BootServices;
  readonly findLink: (computerId: string) => ControlLink | null;
  readonly hasPrebootWork: (computerId: string) => boolean;
}): ComputerRegistry {
  const { directory, boot, findLink, hasPrebootWork } = given;
  const { clock, db } = given.parts;
  const startedAtMs = clock.epochMs();
  return new ComputerRegistry({
    store: new ComputerStore(db),
    directory,
    clock,
    findLink,
    hasPrebootWork,
    checkBootToken: (token, inventory) => {
      if (token === null) {
        return "absent";
      }
      const check = boot.tokens.check(token, inventory, clock.monotonicMs());
      const isYoung = clock.epochMs() - startedAtMs < youngMs;
      return check.type === "valid"
        ? "valid"
        : isYoung && check.reason === "unknown-token"
          ? "unknown-after-restart"
          : "invalid";
    },
  });
}

function createImaging(given: {
  readonly parts: ServerParts;
  readonly chunks: ChunkStore;
  readonly transfers: TransferService;
  readonly images: ImageStore;
  readonly findLink: (computerId: string) => ControlLink | null;
  readonly jobs: () => JobService;
}): ImagingService {
  const { chunks, transfers, images, findLink, jobs } = given;
  const { flows, interfaces, network, clock, log, settings } = given.parts;
  return new ImagingService(
    { flows, interfaces },
    {
      network,
      clock,
      log,
      chunks,
      transfers,
      settings: () => settings.current(),
      findLink,
      readManifest: (imageId) => images.readManifest(imageId),
      onJoined: (_key, computerIds, joined, expected) =>
        jobs().sessionEvent(computerIds, { type: "session-joined", joined, expected }),
      onStarted: (_key, computerIds) => jobs().sessionEvent(computerIds, { type: "session-started" }),
      onFailed: (_key, computerIds, reason) =>
        jobs().sessionEvent(computerIds, { type: "session-failed", reason }),
    },
  );
}

function createJobs(given: {
  readonly parts: ServerParts;
  readonly registry: ComputerRegistry;
  readonly findLink: (computerId: string) => ControlLink | null;
  readonly imaging: () => ImagingService;
}): JobService {
  const { registry, findLink, imaging } = given;
  const { network, flows, interfaces, clock, log, settings, db } = given.parts;
  const report =
    (what: string, computerId: string) =>
    (error: unknown): void =>
      log.warn({ err: error, computerId }, what);
  return new JobService({
    store: new JobStore(db),
    clock,
    log,
    findLink,
    imaging,
    wake: (computerId) => {
      const macs = registry.get(computerId)?.macs ?? [];
      const port = settings.current()["wake.port"];
      sendMagicPackets({ network, flows, interfaces, macs, port }).catch(
        report("a magic packet could not be sent", computerId),
      );
    },
    onChanged: (computerId) => registry.publish(computerId),
    onDeployed: (computerId, atMs) => {
      registry
        .update(computerId, { deployedAtMs: atMs })
        .catch(report("a deployment could not be noted; its agent will wait for approval", computerId));
    },
  });
}

/**
 * Opens the store and builds a server; nothing listens yet.
 *
 * @throws ConfigError | StoreError | SettingError
 */
export async function createServer(config: ServerConfig, clock: Clock, log: Logger): Promise<PortolanServer> {
  const network = await createNetwork();
  const interfaces = chooseInterfaces(config, network);
  const db = await openDatabase(config.databaseUrl, config.dataDir);
  const site = new SiteStore(db);
  const settings = new SiteSettings(site);
  await settings.load();
  const authority = await openAuthority(site, clock);
  const flows = computeFlows(settings.current(), { consolePort: config.consolePort });
  const addresses = interfaces.map((nic) => nic.address);
  const tls = await authority.issueServer(config.name || hostname(), addresses, clock.epochMs());
  const server = assemble({ config, network, clock, log, interfaces, flows, settings, authority, tls, db });
  return {
    ...server,
    startedAtMs: clock.epochMs(),
    serviceStates: new Map(),
    async stop() {
      server.jobs.stop();
      await server.imaging.stop();
      await Promise.all([server.boot.dhcp.stop(), server.boot.tftp.stop(), server.boot.http.stop()]);
      await server.discovery.stop();
      await server.control.stop();
      await server.transfers.stop();
      await server.boot.recorder.stop();
      await db.destroy();
    },
  };
}

/**
 * Starts every service. A boot service whose port is taken is named and left out; the others run, and the caller decides
 * what the exit code says. The control port is what everything else hangs on: without it nothing starts.
 */
export async function startServices(server: PortolanServer): Promise<void> {
  const { boot, control, jobs, registry, serviceStates, log } = server;
  const report = await boot.files.load();
  for (const problem of report.problems) {
    log.warn(problem);
  }
  // Jobs wake computers by the cards that the registry knows.
  await registry.load();
  await jobs.start();
  const isBooting = server.settings.current()["boot.mode"] !== "off";
  const isDiscovered = server.settings.current()["discovery.enabled"];
  const services = [
    ["control", control, true],
    ["discovery", server.discovery, isDiscovered],
    ["dhcp", boot.dhcp, isBooting],
    ["tftp", boot.tftp, isBooting],
    ["http-boot", boot.http, isBooting],
  ] as const;
  for (const [name, service, isOn] of services) {
    if (!isOn) {
      const key = name === "discovery" ? "discovery.enabled" : "boot.mode";
      serviceStates.set(name, { state: "off", reason: `${key} is off` });
      continue;
    }
    try {
      await service.start();
      serviceStates.set(name, { state: "running", reason: null });
    } catch (error) {
      if (!(error instanceof NetworkError)) {
        throw error;
      }
      serviceStates.set(name, { state: "failed", reason: error.message });
    }
  }
}

/** The grant of the API's socket on one address. */
export function grantConsole(server: PortolanServer, nic: NetworkInterface): ReturnType<typeof grantSocket> {
  return grantSocket(findFlow(server.flows, "console.https"), {
    role: "server",
    side: "listen",
    interfaceName: nic.name,
    localAddress: nic.address,
    localPort: server.config.consolePort,
  });
}
