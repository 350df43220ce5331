import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type BootBuildResource, type BootEventResource, bootFileSchema } from "#api/boot-api.ts";
import type { BootEvent } from "#engine/boot/boot-event.ts";
import { describeTrace } from "#engine/boot/describe-trace.ts";
import type { StoredBootEvent } from "#store/boot-event-store.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

/** What is kept of an event: for people, not for programs. */
export function toStoredBootEvent(event: BootEvent): StoredBootEvent {
  return {
    atMs: Math.round(event.atMs),
    computerId: event.computerId,
    mac: event.mac,
    stage: event.stage,
    outcome: event.outcome,
    reason: event.reason,
    detail: [event.firmware, event.file].filter((part) => part !== null).join(" ") || null,
    trace: describeTrace(event),
  };
}

export function toBootEvent({ atMs, ...event }: StoredBootEvent): BootEventResource {
  const { computerId, mac, stage, outcome, reason, detail, trace } = event;
  return { at: atMs, computerId, mac, stage, outcome, reason, detail, trace };
}

/** What `portolan boot build` wrote. */
const manifestSchema = z.object({
  builtAt: z.number().nullable().default(null),
  kernelVersion: z.string().nullable().default(null),
  files: z.array(bootFileSchema),
});

async function readBuild({
  config,
  boot,
}: Pick<PortolanServer, "config" | "boot">): Promise<BootBuildResource> {
  const folder = join(config.dataDir, "boot");
  const path = join(folder, "manifest.json");
  const text = await readFile(path, "utf8").catch(() => '{"files":[]}');
  const { builtAt, kernelVersion, files } = manifestSchema.parse(JSON.parse(text));
  const written = await stat(path).catch(() => null);
  return {
    folder,
    builtAt: written === null ? null : Math.round(written.mtimeMs),
    packagedAt: builtAt,
    kernelVersion,
    files: files.map((file) => ({ ...file, isServed: boot.files.find(file.name)?.sha256 === file.sha256 })),
    problems: [...boot.files.problems()],
  };
}

export function bootHandlers(server: PortolanServer) {
  const { registry, bootEvents } = server;
  return {
    listComputerEvents: async ({ id, query }) => {
      return (await bootEvents.list(registry.require(id).macs, query)).map(toBootEvent);
    },
    listBootEvents: async ({ query, scope }) => {
      return (await bootEvents.list(scope.groupIds, query)).map(toBootEvent);
    },
    listBootFiles: async () => (await readBuild(server)).files,
    showBootBuild: () => readBuild(server),
    serveBootBuild: async () => {
      await server.boot.files.load();
      return readBuild(server);
    },
  } satisfies Partial<ApiHandlers>;
}
