import { z } from "zod";
import type { Routes } from "./route.ts";
import { epochMs, machineText } from "./values.ts";

export const runSchema = z.object({
  computerId: z.string(),
  computerName: machineText,
  state: z.string(),
  /** What it waits for, or why it failed, as a sentence. */
  reason: z.string().nullable(),
  percent: z.number().min(0).max(100),
  rateBytesPerSecond: z.number(),
  timeLeftMs: z.number().nullable(),
  /** How the image reaches it now. */
  transport: z.enum(["multicast", "unicast"]).nullable(),
  updatedAt: epochMs,
});
export type RunResource = z.infer<typeof runSchema>;

export const jobSchema = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: epochMs,
  state: z.enum(["running", "done", "failed", "cancelled"]),
  tasks: z.array(z.unknown()),
  runs: z.array(runSchema),
});
export type JobResource = z.infer<typeof jobSchema>;

/** How a task names the disk it writes. Never by kernel order. */
export const diskRuleSchema = z.union([
  z.literal("only-disk"),
  z.object({ serial: z.string().min(1).max(128) }).strict(),
  z.object({ wwn: z.string().min(1).max(128) }).strict(),
  z.object({ model: z.string().min(1).max(128) }).strict(),
  z.object({ byPath: z.string().min(1).max(256) }).strict(),
  z.object({ sizeBytes: z.number().int().positive() }).strict(),
]);

const ipv4 = z.ipv4();

/** What makes a restored computer itself. Machine id and SSH host keys are always made anew with it. */
const identitySchema = z
  .object({
    /** May hold `{name}`, `{serial}` and `{mac}` of the computer; `null`: the image's stays. */
    hostName: z.string().min(1).max(128).nullable().default("{name}"),
    /** Fixed addresses, by computer id or name. Without one the image's settings stay. */
    addresses: z
      .record(
        z.string(),
        z
          .object({
            address: ipv4,
            prefixLength: z.number().int().min(1).max(32),
            gateway: ipv4.nullable().default(null),
            nameServers: z.array(ipv4).max(8).default([]),
          })
          .strict(),
      )
      .default({}),
    /** Answer file for a prepared Windows. */
    unattend: z
      .string()
      .max(256 << 10)
      .nullable()
      .default(null),
  })
  .strict();

/** What is done to a disk beyond the image itself. */
export const restoreSchema = z
  .object({
    /** The partition that takes the difference in size between the image's disk and the target. */
    resize: z
      .object({
        partition: z.union([z.literal("last"), z.number().int().min(1).max(128)]).default("last"),
        mayShrink: z.boolean().default(true),
      })
      .strict()
      .nullable()
      .default(null),
    hasNewIds: z.boolean().default(false),
    hasBootEntry: z.boolean().default(false),
    identity: identitySchema.nullable().default(null),
  })
  .strict();

export const taskSchema = z.discriminatedUnion("kind", [
  z
    .object({
      kind: z.literal("deploy-image"),
      image: z.string().min(1).max(128),
      disk: diskRuleSchema.default("only-disk"),
      options: restoreSchema.optional(),
    })
    .strict(),
  z
    .object({
      kind: z.literal("capture-image"),
      name: z.string().min(1).max(128),
      disk: diskRuleSchema.default("only-disk"),
      /** Obstacles are noted in the image instead of stopping. */
      isForced: z.boolean().default(false),
    })
    .strict(),
  z
    .object({
      kind: z.literal("run-script"),
      script: z.string().min(1).max(65_536),
      interpreter: z.string().max(128).default("/bin/sh"),
      environment: z.enum(["preboot", "os"]).default("os"),
      timeoutMs: z
        .number()
        .int()
        .positive()
        .max(24 * 3_600_000)
        .default(600_000),
    })
    .strict(),
  z.object({ kind: z.literal("restart") }).strict(),
  z.object({ kind: z.literal("power-off") }).strict(),
]);
export type TaskRequest = z.infer<typeof taskSchema>;

export const createJobSchema = z
  .object({
    name: z.string().min(1).max(128),
    tasks: z.array(taskSchema).min(1).max(64),
    /** Computer ids or names; may be empty and assigned later. */
    computers: z.array(z.string().min(1).max(256)).max(10_000).default([]),
  })
  .strict();
export type CreateJobRequest = z.input<typeof createJobSchema>;

export const assignJobSchema = z
  .object({ computers: z.array(z.string().min(1).max(256)).min(1).max(10_000) })
  .strict();

/** Jobs, their tasks and runs. */
export const jobRoutes = {
  createJob: {
    method: "POST",
    path: "/jobs",
    access: "operator",
    summary: "Create a job and assign it",
    body: createJobSchema,
    response: jobSchema,
  },
  listJobs: { method: "GET", path: "/jobs", summary: "All jobs", response: z.array(jobSchema) },
  showJob: { method: "GET", path: "/jobs/:id", summary: "One job", response: jobSchema },
  assignJob: {
    method: "POST",
    path: "/jobs/:id/assign",
    access: "operator",
    summary: "Assign a job to more computers",
    body: assignJobSchema,
    response: jobSchema,
  },
  cancelJob: {
    method: "POST",
    path: "/jobs/:id/cancel",
    access: "operator",
    summary: "Stop a job",
    response: jobSchema,
  },
} as const satisfies Routes;
