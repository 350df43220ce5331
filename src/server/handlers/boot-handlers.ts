import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type BootEventResource, bootFileSchema } from "#api/boot-api.ts";
import type { StoredBootEvent } from "#store/boot-event-store.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

export function toBootEvent({ atMs, ...event }: StoredBootEvent): BootEventResource {
  const { computerId, mac, stage, outcome, reason, detail } = event;
  return { at: atMs, computerId, mac, stage, outcome, reason, detail };
}

export function bootHandlers(server: PortolanServer) {
  const { registry, bootEvents } = server;
  return {
    listComputerEvents: async ({ id, query }) => {
      return (await bootEvents.list(registry.require(id).macs, query)).map(toBootEvent);
    },
    listBootEvents: async ({ query }) => {
      return (await bootEvents.list(null, query)).map(toBootEvent);
    },
    listBootFiles: async () => {
      const path = join(server.config.dataDir, "boot", "manifest.json");
      const text = await readFile(path, "utf8").catch(() => '{"files":[]}');
      return z.object({ files: z.array(bootFileSchema) }).parse(JSON.parse(text)).files;
    },
  } satisfies Partial<ApiHandlers>;
}
