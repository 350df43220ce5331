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
  /** How its packet came: relay, switch port, for how long it has been asking; and how fast it was answered. */
  trace: z.string().nullable(),
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

export const bootBuildSchema = z.object({
  /** On the server. */
  folder: z.string(),
  /** When it was built; `null`: nothing was yet. */
  builtAt: epochMs.nullable(),
  /** Of the newest package inside. */
  packagedAt: epochMs.nullable(),
  kernelVersion: z.string().nullable(),
  files: z.array(
    bootFileSchema.extend({
      /** `false`: computers get another one of this name, or none. */
      isServed: z.boolean(),
    }),
  ),
  /** What could not be served when the folder was read last, and the way out. */
  problems: z.array(z.string()),
});
export type BootBuildResource = z.infer<typeof bootBuildSchema>;

/** Boot events and boot files. */
export const bootRoutes = {
  listBootEvents: {
    method: "GET",
    path: "/boot/events",
    scope: "filtered",
    summary: "Boot events of all computers, newest first",
    query: eventQuerySchema,
    response: z.array(bootEventSchema),
  },
  listBootFiles: {
    method: "GET",
    path: "/boot/files",
    scope: { shared: "the same files for every computer" },
    summary: "What network boot serves",
    response: z.array(bootFileSchema),
  },
  showBootBuild: {
    method: "GET",
    path: "/boot/build",
    scope: { shared: "the same files for every computer" },
    summary: "What was built last, and whether it is what network boot serves",
    response: bootBuildSchema,
  },
  serveBootBuild: {
    method: "POST",
    path: "/boot/serve",
    scope: "site",
    summary: "Serve what was built last, without a restart",
    response: bootBuildSchema,
  },
} as const satisfies Routes;
