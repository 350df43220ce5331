import { z } from "zod";
import type { Routes } from "./route.ts";
import { epochMs } from "./values.ts";

export const bootEventSchema = z.object({
  at: epochMs,
  computerId: z.string().nullable(),
  mac: z.string().nullable(),
  stage: z.string(),
  outcome: z.string(),
  /** Why nothing was answered; `null` when something was. */
  reason: z.string().nullable(),
  detail: z.string().nullable(),
});
export type BootEventResource = z.infer<typeof bootEventSchema>;

/** The newest that are older than a time; to go on, give the time of the last one. */
export const eventQuerySchema = z
  .object({
    before: z.coerce.number().int().positive().optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(200),
  })
  .strict();

export const bootFileSchema = z.object({
  name: z.string(),
  sizeBytes: z.number(),
  sha256: z.string(),
  purpose: z.string(),
});
export type BootFileResource = z.infer<typeof bootFileSchema>;

/** Boot events and boot files. */
export const bootRoutes = {
  listBootEvents: {
    method: "GET",
    path: "/boot/events",
    summary: "Boot events of all computers, newest first",
    query: eventQuerySchema,
    response: z.array(bootEventSchema),
  },
  listBootFiles: {
    method: "GET",
    path: "/boot/files",
    summary: "What network boot serves",
    response: z.array(bootFileSchema),
  },
} as const satisfies Routes;
