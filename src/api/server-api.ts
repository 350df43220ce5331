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
  /** How long answers to booting computers took since the start, from the packet in to the packet out. */
  bootAnswers: z.object({
    count: z.number(),
    maxMs: z.number(),
    /** Answers that took at most this long and longer than the column before; the last has no bound. */
    columns: z.array(z.object({ boundMs: z.number().nullable(), count: z.number() })),
  }),
});
export type ServerResource = z.infer<typeof serverSchema>;

/** Long work inside the server, such as an import. */
export const operationSchema = z.object({
  id: z.string(),
  title: z.string(),
  state: z.enum(["running", "done", "failed"]),
  percent: z.number(),
  detail: z.string(),
  /** Of work that judges something, once it is done; `null` of all other. */
  verdict: z.enum(["pass", "faults", "not-tested"]).nullable(),
  result: z.unknown(),
  error: z.string().nullable(),
});
export type OperationResource = z.infer<typeof operationSchema>;

/** This server and its long work. */
export const serverRoutes = {
  showHealth: {
    method: "GET",
    path: "/health",
    scope: { shared: "asked before anybody is known; shows nothing of the site" },
    summary: "Whether the server's process answers",
    access: "public",
    response: nothingSchema,
  },
  showReadiness: {
    method: "GET",
    path: "/ready",
    scope: { shared: "asked before anybody is known; shows nothing of the site" },
    summary: "Whether the server can do its work: database and services; 503 when not",
    access: "public",
    response: nothingSchema,
  },
  showServer: {
    method: "GET",
    path: "/server",
    scope: { shared: "servers and their settings; names no computer" },
    summary: "This server",
    response: serverSchema,
  },
  showOperation: {
    method: "GET",
    path: "/operations/:id",
    scope: "site",
    summary: "Progress of long work",
    response: operationSchema,
  },
} as const satisfies Routes;
