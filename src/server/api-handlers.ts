import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { TaskRequest } from "#api/requests.ts";
import {
  type BootEventResource,
  bootFileSchema,
  type ComputerResource,
  type ImageResource,
  type JobResource,
  type SessionResource,
} from "#api/resources.ts";
import type { Job, Task } from "#engine/job/job.ts";
import { summariseJob, summariseRun } from "#engine/job/summarise-job.ts";
import type { StoredBootEvent } from "#store/boot-event-store.ts";
import type { StoredComputer } from "#store/computer-store.ts";
import type { StoredImage } from "#store/image-store.ts";
import { ApiError } from "./api-error.ts";
import type { ApiHandlers } from "./api-server.ts";
import { importRawDisk } from "./image-import.ts";
import { reportPlan } from "./plan-report.ts";
import { sendMagicPackets } from "./send-magic-packets.ts";
import type { PortolanServer } from "./server.ts";

function toComputer(server: PortolanServer, computer: StoredComputer): ComputerResource {
  const link = server.control.find(computer.id);
  return {
    id: computer.id,
    name: computer.name,
    state: computer.state,
    reason: computer.reason,
    macs: [...computer.macs],
    uuid: computer.uuid,
    serial: computer.serial,
    environment: link?.environment ?? null,
    address: link?.address ?? computer.address,
    firmware: computer.inventory?.firmware ?? null,
    product: computer.inventory?.product ?? null,
    lastSeenAt: link === null ? computer.lastSeenAtMs : Math.round(server.clock.epochMs()),
    inventory: computer.inventory,
  };
}

function toImage(image: StoredImage): ImageResource {
  const { id, name, sizeBytes, chunkSizeBytes, chunkCount, dataChunkCount, createdAtMs } = image;
  return { id, name, sizeBytes, chunkSizeBytes, chunkCount, dataChunkCount, createdAt: createdAtMs };
}

function toJob(server: PortolanServer, job: Job): JobResource {
  const runs = server.jobs.runsOf(job.id);
  const nowMs = server.clock.epochMs();
  return {
    id: job.id,
    name: job.name,
    createdAt: job.createdAtMs,
    state: summariseJob(runs),
    tasks: [...job.tasks],
    runs: runs.map((run) => {
      const summary = summariseRun(job, run, nowMs);
      return {
        ...summary,
        computerId: run.computerId,
        computerName: server.registry.get(run.computerId)?.name ?? run.computerId,
        updatedAt: Math.round(run.updatedAtMs),
      };
    }),
  };
}

function toBootEvent({ atMs, ...event }: StoredBootEvent): BootEventResource {
  const { computerId, mac, stage, outcome, reason, detail } = event;
  return { at: atMs, computerId, mac, stage, outcome, reason, detail };
}

async function toTask(server: PortolanServer, task: TaskRequest): Promise<Task> {
  if (task.kind !== "deploy-image") {
    return task;
  }
  const image = await server.images.find(task.image);
  return { kind: "deploy-image", imageId: image.id, imageName: image.name, disk: task.disk };
}

function requireJob(server: PortolanServer, id: string): Job {
  const job = server.jobs.findJob(id);
  if (job === null) {
    throw new ApiError(404, "not-found", `there is no job ${id}; portolan job list shows them`);
  }
  return job;
}

/** Work that writes disks is for approved computers only; an identity in doubt never gets it. */
function requireApproved(server: PortolanServer, words: readonly string[]): string[] {
  const computers = words.map((word) => server.registry.require(word));
  const refused = computers.find((computer) => computer.state !== "approved");
  if (refused !== undefined) {
    const why = refused.state === "conflict" ? `is held: ${refused.reason}` : "waits for approval";
    throw new ApiError(409, "not-approved", `computer ${refused.id} (${refused.name}) ${why}`);
  }
  return [...new Set(computers.map(({ id }) => id))];
}

const restartEffect =
  "running services keep their sockets; restart the server for ports and groups to follow";

function serverHandlers(server: PortolanServer, version: string) {
  const { settings, config, interfaces, flows, network } = server;
  return {
    showServer: async () => ({
      name: config.name,
      version,
      startedAt: Math.round(server.startedAtMs),
      siteKeyFingerprint: server.authority.fingerprint,
      profile: settings.profile,
      interfaces: interfaces.map(({ name, address, prefixLength }) => ({ name, address, prefixLength })),
      services: [...server.serviceStates].map(([name, { state, reason }]) => ({ name, state, reason })),
      limits: [...network.limits()],
      counters: collectCounters(server),
    }),
    showPlan: async () =>
      reportPlan({
        flows,
        sockets: network.openSockets(),
        interfaces,
        profile: settings.profile,
        serverName: config.name,
        nowMs: server.clock.epochMs(),
      }),
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

function computerHandlers(server: PortolanServer) {
  const { registry, control, bootEvents, clock } = server;
  return {
    listComputers: async () => registry.list().map((computer) => toComputer(server, computer)),
    showComputer: async ({ id }) => toComputer(server, registry.require(id)),
    approveComputer: async ({ id }) => {
      const computer = await registry.approve(id);
      await control.reconsider();
      return toComputer(server, computer);
    },
    wakeComputer: async ({ id }) => {
      const { network, flows, interfaces, settings } = server;
      const { macs } = registry.require(id);
      const port = settings.current()["wake.port"];
      const sent = await sendMagicPackets({ network, flows, interfaces, macs, port });
      return { sent, interfaces: interfaces.map(({ name }) => name) };
    },
    forgetComputer: async ({ id }) => {
      const computer = registry.require(id);
      await registry.forget(computer.id);
      control.disconnect(computer.id);
      return { ok: true as const };
    },
    listComputerEvents: async ({ id }) => {
      return (await bootEvents.list(registry.require(id).macs)).map(toBootEvent);
    },
    listBootEvents: async () => {
      return (await bootEvents.list(null)).map(toBootEvent);
    },
    listBootFiles: async () => {
      const path = join(server.config.dataDir, "boot", "manifest.json");
      const text = await readFile(path, "utf8").catch(() => '{"files":[]}');
      return z.object({ files: z.array(bootFileSchema) }).parse(JSON.parse(text)).files;
    },
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
    listSessions: async () => server.imaging.list().map((record) => toSession(record, clock.epochMs())),
  } satisfies Partial<ApiHandlers>;
}

function toSession(
  record: ReturnType<PortolanServer["imaging"]["list"]>[number],
  nowMs: number,
): SessionResource {
  const elapsedMs = record.startedAtMs === null ? 0 : (record.endedAtMs ?? nowMs) - record.startedAtMs;
  return {
    id: record.id,
    imageId: record.imageId,
    imageName: record.imageName,
    group: record.pair?.group ?? null,
    port: record.pair?.port ?? null,
    state: record.state,
    joined: record.joined,
    expected: record.expected,
    sentBytes: record.sentBytes,
    copyBytes: record.copyBytes,
    rateBytesPerSecond: elapsedMs === 0 ? 0 : Math.round((record.sentBytes * 1000) / elapsedMs),
    movedToUnicast: record.movedToUnicast,
  };
}

function imageHandlers(server: PortolanServer) {
  const { images, chunks, operations, clock } = server;
  return {
    listImages: async () => (await images.list()).map(toImage),
    showImage: async ({ id }) => toImage(await images.find(id)),
    importImage: async ({ body }) =>
      operations.start(`import ${body.name}`, async (report) => {
        const { imageId, manifest, manifestText } = await importRawDisk(chunks, body, (progress) =>
          report({
            percent: (100 * progress.doneBytes) / progress.totalBytes,
            detail: `${progress.newChunkCount} chunks new, ${progress.knownChunkCount} known`,
          }),
        );
        const dataChunkCount = manifest.chunks.filter((chunk) => chunk !== null).length;
        await images.put(
          {
            id: imageId,
            name: body.name,
            sizeBytes: manifest.sizeBytes,
            chunkSizeBytes: manifest.chunkSizeBytes,
            chunkCount: manifest.chunks.length,
            dataChunkCount,
            createdAtMs: clock.epochMs(),
          },
          manifestText,
        );
        return {
          result: { imageId },
          detail: `image ${imageId.slice(0, 12)}, ${dataChunkCount} chunks with data`,
        };
      }),
    verifyImage: async ({ id }) => {
      const image = await images.find(id);
      const { chunks: hashes } = JSON.parse(await images.readManifest(image.id)) as {
        chunks: (string | null)[];
      };
      const unique = [...new Set(hashes.filter((chunkHash) => chunkHash !== null))];
      return operations.start(`verify ${image.name}`, async (report) => {
        for (const [index, chunkHash] of unique.entries()) {
          await chunks.verify(chunkHash);
          report({
            percent: (100 * (index + 1)) / unique.length,
            detail: `${index + 1} of ${unique.length} chunks`,
          });
        }
        return {
          result: { chunkCount: unique.length },
          detail: `${unique.length} chunks are what their names say`,
        };
      });
    },
  } satisfies Partial<ApiHandlers>;
}

function jobHandlers(server: PortolanServer) {
  const { jobs } = server;
  return {
    createJob: async ({ body }) => {
      const tasks: Task[] = [];
      for (const task of body.tasks) {
        tasks.push(await toTask(server, task));
      }
      const computerIds = requireApproved(server, body.computers);
      const id = `j-${randomBytes(4).toString("hex")}`;
      return toJob(server, await jobs.createJob(id, body.name, tasks, computerIds));
    },
    listJobs: async () => jobs.listJobs().map((job) => toJob(server, job)),
    showJob: async ({ id }) => toJob(server, requireJob(server, id)),
    assignJob: async ({ id, body }) => {
      const job = requireJob(server, id);
      await jobs.assign(id, requireApproved(server, body.computers));
      return toJob(server, job);
    },
    cancelJob: async ({ id }) => {
      const job = requireJob(server, id);
      await jobs.cancel(id, "the administrator");
      return toJob(server, job);
    },
  } satisfies Partial<ApiHandlers>;
}

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
  ];
  return Object.fromEntries(
    sources.flatMap(([name, counters]) =>
      [...counters].map(([reason, count]) => [`${name}.${reason}`, count]),
    ),
  );
}

export function createHandlers(server: PortolanServer, version: string): ApiHandlers {
  return {
    ...serverHandlers(server, version),
    ...computerHandlers(server),
    ...imageHandlers(server),
    ...jobHandlers(server),
  };
}
