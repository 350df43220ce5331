import { z } from "zod";
import { durationMs } from "./job-values.ts";
import { pageSchema } from "./page.ts";
import type { Routes } from "./route.ts";
import { operationSchema } from "./server-api.ts";
import { epochMs, nothingSchema } from "./values.ts";

const path = z.string().min(1).max(4096);
const argument = z.string().max(1024);

export const packageKinds = ["deb", "rpm", "msi", "exe", "pkg", "bundle"] as const;

/** How it is known that a package is installed. */
export const detectionSchema = z.discriminatedUnion("type", [
  z
    .object({ type: z.literal("record") })
    .strict()
    .describe("The agent's own note that it installed it."),
  z.object({ type: z.literal("file"), path }).strict(),
  z
    .object({
      type: z.literal("package"),
      name: z.string().min(1).max(128),
      version: z.string().min(1).max(128).optional(),
    })
    .strict()
    .describe("The system's package database."),
  z
    .object({ type: z.literal("command"), program: path, args: z.array(argument).max(64).default([]) })
    .strict()
    .describe("Exit code 0 means installed."),
]);

/** What `package.yaml` of a folder, or the flags of the command line, may say. */
export const packageDescriptionSchema = z
  .object({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/, "is letters, digits and . _ + - only")
      .optional(),
    version: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._+:~-]{0,127}$/, "is letters, digits and . _ + : ~ - only")
      .optional(),
    args: z.array(argument).max(64).optional().describe("Silent arguments of an exe or msi."),
    uninstall: z.array(argument).max(64).optional().describe("Program and arguments that remove it."),
    detection: detectionSchema.optional(),
    dependsOn: z.array(z.string().min(1).max(128)).max(64).optional(),
    timeoutMs: durationMs(24 * 3_600_000).optional(),
  })
  .strict();

export const packageSchema = z.object({
  id: z.string(),
  name: z.string(),
  version: z.string(),
  kind: z.enum(packageKinds),
  fileName: z.string(),
  args: z.array(z.string()),
  uninstall: z.array(z.string()),
  detection: z.unknown(),
  dependsOn: z.array(z.string()),
  timeoutMs: z.number(),
  /** Id of its manifest in the chunk store. */
  contentId: z.string(),
  sizeBytes: z.number(),
  createdAt: epochMs,
});
export type PackageResource = z.infer<typeof packageSchema>;

/** Packages. */
export const packageRoutes = {
  listPackages: {
    method: "GET",
    path: "/packages",
    scope: { shared: "packages belong to no computer" },
    summary: "All packages",
    query: pageSchema,
    pagedBy: "id",
    response: z.array(packageSchema),
  },
  showPackage: {
    method: "GET",
    path: "/packages/:id",
    scope: { shared: "packages belong to no computer" },
    summary: "One package",
    response: packageSchema,
  },
  addPackage: {
    method: "POST",
    path: "/packages",
    scope: "site",
    summary: "Add a package from a file or folder on the server",
    body: z.object({ path, description: packageDescriptionSchema.default({}) }).strict(),
    response: operationSchema,
  },
  removePackage: {
    method: "DELETE",
    path: "/packages/:id",
    scope: "site",
    summary: "Remove a package; jobs that carry it keep its content",
    response: nothingSchema,
  },
} as const satisfies Routes;
