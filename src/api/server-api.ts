import { z } from "zod";
import type { Routes } from "./route.ts";
import { epochMs, nothingSchema } from "./values.ts";

export const serverSchema = z.object({
  name: z.string(),
  version: z.string(),
  startedAt: epochMs,
  siteKeyFingerprint: z.string(),
  profile: z.string(),
  interfaces: z.array(z.object({ name: z.string(), address: z.string(), prefixLength: z.number() })),
  /** Services with their state; a failed one says why. */
  services: z.array(z.object({ name: z.string(), state: z.string(), reason: z.string().nullable() })),
  /** What this installation cannot do, as sentences. */
  limits: z.array(z.string()),
  /** Packets seen and why they were not answered, by service and reason. */
  counters: z.record(z.string(), z.number()),
});
export type ServerResource = z.infer<typeof serverSchema>;

/** Long work inside the server, such as an import. */
export const operationSchema = z.object({
  id: z.string(),
  title: z.string(),
  state: z.enum(["running", "done", "failed"]),
  percent: z.number(),
  detail: z.string(),
  result: z.unknown(),
  error: z.string().nullable(),
});
export type OperationResource = z.infer<typeof operationSchema>;

/** This server and its long work. */
export const serverRoutes = {
  showHealth: {
    method: "GET",
    path: "/health",
    summary: "Whether the server's process answers",
    access: "public",
    response: nothingSchema,
  },
  showReadiness: {
    method: "GET",
    path: "/ready",
    summary: "Whether the server can do its work: database and services; 503 when not",
    access: "public",
    response: nothingSchema,
  },
  showServer: { method: "GET", path: "/server", summary: "This server", response: serverSchema },
  showOperation: {
    method: "GET",
    path: "/operations/:id",
    summary: "Progress of long work",
    response: operationSchema,
  },
} as const satisfies Routes;
