import { z } from "zod";

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

export const importImageSchema = z
  .object({
    /** Absolute path of a raw disk on the server. */
    path: z.string().min(1).max(4096),
    name: z.string().min(1).max(128),
  })
  .strict();

export const setSettingSchema = z.object({ value: z.string().max(4096) }).strict();
export const setProfileSchema = z.object({ profile: z.enum(["classic", "firewall"]) }).strict();
