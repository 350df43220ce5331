import { z } from "zod";

/** Text that came from a machine: bounded here, escaped wherever it is shown. */
const machineText = z.string().max(256);
const epochMs = z.number().int().nonnegative();

export const computerSchema = z.object({
  id: z.string(),
  name: machineText,
  state: z.enum(["pending", "approved", "conflict"]),
  /** Why it is pending or in conflict, as a sentence. */
  reason: z.string().nullable(),
  macs: z.array(z.string()),
  uuid: z.string().nullable(),
  serial: machineText.nullable(),
  /** Where its agent is connected from now, `null` when it is not. */
  environment: z.enum(["preboot", "os"]).nullable(),
  address: z.string().nullable(),
  firmware: machineText.nullable(),
  product: machineText.nullable(),
  lastSeenAt: epochMs.nullable(),
  inventory: z.unknown(),
});
export type ComputerResource = z.infer<typeof computerSchema>;

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

export const imageSchema = z.object({
  id: z.string(),
  name: z.string(),
  sizeBytes: z.number(),
  chunkSizeBytes: z.number(),
  chunkCount: z.number(),
  /** Chunks that are not all zero. */
  dataChunkCount: z.number(),
  createdAt: epochMs,
});
export type ImageResource = z.infer<typeof imageSchema>;

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

export const sessionSchema = z.object({
  id: z.number(),
  imageId: z.string(),
  imageName: z.string(),
  group: z.string().nullable(),
  port: z.number().nullable(),
  state: z.string(),
  joined: z.number(),
  expected: z.number(),
  /** Payload bytes put on the wire, repairs included. */
  sentBytes: z.number(),
  /** Bytes of one copy of what the receivers lacked. */
  copyBytes: z.number(),
  rateBytesPerSecond: z.number(),
  movedToUnicast: z.array(z.object({ computerId: z.string(), reason: z.string() })),
});
export type SessionResource = z.infer<typeof sessionSchema>;

export const flowSchema = z.object({
  id: z.string(),
  title: z.string(),
  purpose: z.string(),
  from: z.string(),
  to: z.array(z.string()),
  transport: z.enum(["udp", "tcp"]),
  ports: z.union([z.object({ from: z.number(), to: z.number() }), z.array(z.number())]),
  groups: z.array(z.string()),
  ttl: z.number().nullable(),
  dynamic: z.boolean(),
  setting: z.string().nullable(),
  state: z.string(),
  origin: z.enum(["paper", "ours"]),
  /** Sockets the server has open for it now. */
  sockets: z.array(
    z.object({
      interface: z.string().nullable(),
      address: z.string(),
      port: z.number(),
      groups: z.array(z.string()),
    }),
  ),
});

export const planSchema = z.object({
  generatedAt: epochMs,
  profile: z.string(),
  server: z.string(),
  segments: z.array(
    z.object({ name: z.string(), cidr: z.string(), interface: z.string(), intent: z.string() }),
  ),
  flows: z.array(flowSchema),
  /** Where the sockets that are open and the flows disagree; empty when the plan is the program. */
  differences: z.array(z.string()),
});
export type PlanResource = z.infer<typeof planSchema>;

export const settingSchema = z.object({
  key: z.string(),
  value: z.string(),
  default: z.string(),
  isChanged: z.boolean(),
  help: z.string(),
  accepts: z.string(),
});
export type SettingResource = z.infer<typeof settingSchema>;

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

export const bootFileSchema = z.object({
  name: z.string(),
  sizeBytes: z.number(),
  sha256: z.string(),
  purpose: z.string(),
});
export type BootFileResource = z.infer<typeof bootFileSchema>;

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

export const errorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string() }),
});
