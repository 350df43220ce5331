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

export const taskSchema = z.discriminatedUnion("kind", [
  z
    .object({
      kind: z.literal("deploy-image"),
      image: z.string().min(1).max(128),
      disk: diskRuleSchema.default("only-disk"),
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
