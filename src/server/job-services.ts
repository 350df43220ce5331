import type { Logger } from "pino";
import { JobStore } from "#store/job-store.ts";
import type { StoredComputer } from "#store/computer-store.ts";
import type { PackageStore } from "#store/package-store.ts";
import type { ChunkFetch } from "./chunk-fetch.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { factsOf, textsOf } from "./computer-facts.ts";
import type { ComputerRegistry } from "./computer-registry.ts";
import { resolveRestoreOptions } from "./restore-options.ts";
import { renderInstaller } from "./installer-answers.ts";
import { keepContent } from "./content-import.ts";
import type { SiteChanges } from "./live/site-changes.ts";
import type { ManagementServices } from "./management-services.ts";
import type { ServerParts } from "./server.ts";
import type { CaptureService } from "./services/capture-service.ts";
import type { ControlLink } from "./services/control-service.ts";
import type { SiteSegments } from "./site-segments.ts";
import { ImagingService } from "./services/imaging-service.ts";
import { JobService } from "./services/job-service.ts";
import type { TransferService } from "./services/transfer-service.ts";

/** Sessions of images, wired to the jobs that wait for them. */
export function createImaging(given: {
  readonly parts: ServerParts;
  readonly chunks: ChunkStore;
  readonly transfers: TransferService;
  readonly readManifest: (contentId: string) => Promise<string>;
  readonly chunkFetch: ChunkFetch;
  readonly findLink: (computerId: string) => ControlLink | null;
  readonly jobs: () => JobService;
}): ImagingService {
  const { chunks, transfers, readManifest, chunkFetch, findLink, jobs } = given;
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
      readManifest,
      completeContent: (contentId, onProgress) =>
        chunkFetch.complete(contentId, onProgress).then(() => undefined),
      onJoined: (_key, computerIds, joined, expected) =>
        jobs().sessionEvent(computerIds, { type: "session-joined", joined, expected }),
      onStarted: (_key, computerIds) => jobs().sessionEvent(computerIds, { type: "session-started" }),
      onFailed: (_key, computerIds, reason) =>
        jobs().sessionEvent(computerIds, { type: "session-failed", reason }),
    },
  );
}

/** Jobs, wired to the agents that do them. */
export function createJobs(given: {
  readonly parts: ServerParts;
  readonly registry: ComputerRegistry;
  readonly segments: SiteSegments;
  readonly packages: PackageStore;
  readonly transfers: TransferService;
  readonly findLink: (computerId: string) => ControlLink | null;
  readonly captures: CaptureService;
  readonly imaging: () => ImagingService;
  readonly changes: SiteChanges;
  readonly management: Pick<ManagementServices, "wake" | "software" | "agentDownloads">;
}): JobService {
  const { registry, segments, packages, transfers, findLink, captures, imaging, changes } = given;
  const { wake, software, agentDownloads } = given.management;
  const { clock, log, db, config, authority } = given.parts;
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
    captures: () => captures,
    restoreOptions: (request, computerId) => {
      const { name = computerId, serial = null, macs = [] } = registry.get(computerId) ?? {};
      return resolveRestoreOptions(request, { id: computerId, name, serial, macs });
    },
    connectionOf: ({ computerId, environment, agentRunId }) => {
      const systemKey = registry.get(computerId)?.osKeyFingerprint ?? null;
      return { environment, agentRunId, ...(systemKey === null ? {} : { systemKey }) };
    },
    renderInstaller: (task, link) =>
      renderInstaller(task, link, {
        ...{ agentDownloads, siteKeyFingerprint: authority.fingerprint, consolePort: config.consolePort },
        find: (computerId) => registry.get(computerId),
      }),
    transfers,
    interfaceOf: ({ interfaceName }) => interfaceName,
    factsOf: (computerId) => ({
      ...factsOf(registry.get(computerId), segments.current()),
      ...software.factsOf(computerId),
    }),
    textsOf: (computerId) => textsOf(registry.get(computerId)),
    findUserData: (computerId, name) => packages.findUserData(computerId, name),
    keepUserData: async (computerId, name, manifestText) => {
      const contentId = await keepContent(packages, manifestText, clock.epochMs());
      await packages.addUserData(computerId, name, contentId, clock.epochMs());
    },
    wake: (computerId) => {
      wake.order(computerId).catch(report("a magic packet could not be sent", computerId));
    },
    onChanged: (computerId, jobId) => {
      registry.publish(computerId);
      changes.run(jobId, computerId);
    },
    onDeployed: (computerId, atMs) => {
      registry
        .update(computerId, { deployedAtMs: atMs })
        .catch(report("a deployment could not be noted; its agent will wait for approval", computerId));
    },
  });
}

/** A computer whose identity has come into doubt gets nothing that destroys what is on it. */
export function holdDoubtful(computer: StoredComputer | null, jobs: JobService, log: Logger): void {
  if (computer?.state === "conflict") {
    jobs
      .hold(computer.id, computer.reason ?? "its identity is in doubt")
      .catch((error: unknown) => log.error({ err: error, computerId: computer.id }, "jobs"));
  }
}
