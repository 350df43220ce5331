import { z } from "zod";
import type { Routes } from "./route.ts";
import { operationSchema } from "./server-api.ts";
import { epochMs, machineText } from "./values.ts";

/** The verdict on one flow in one segment, or on one port that must be closed. */
export const cellSchema = z.object({
  segment: z.string(),
  flow: z.string(),
  verdict: z.enum(["pass", "blocked", "late", "degraded", "not-tested"]),
  latencyMs: z.number().nullable(),
  evidence: z.string(),
  cause: z.string().nullable(),
  causeCode: z.string().nullable(),
  /** What to write, and where. */
  remedy: z.string().nullable(),
});
export type CellResource = z.infer<typeof cellSchema>;

export const verifiedSegmentSchema = z.object({
  segment: z.string(),
  cidr: z.string(),
  intent: z.string(),
  at: epochMs,
  durationMs: z.number(),
  /** The agent that tried everything; `null`: there is none. */
  prober: z
    .object({
      computerId: z.string(),
      name: machineText,
      environment: z.enum(["preboot", "os"]),
      /** As the server sees it. */
      address: z.string(),
      serverAddress: z.string(),
    })
    .nullable(),
  cells: z.array(cellSchema),
});
export type VerifiedSegmentResource = z.infer<typeof verifiedSegmentSchema>;

export const verifyPlanSchema = z
  .object({
    /** Name of one segment; every segment when it is left out. */
    segment: z.string().min(1).max(128).optional(),
    /** Device whose lines remedies are written in: a format of `plan export`. */
    format: z.string().max(64).default("nftables"),
  })
  .strict();

/** Something that is wrong, named, until it is mended. */
export const findingSchema = z.object({
  kind: z.string(),
  severity: z.enum(["fault", "warning", "notice"]),
  subject: z.union([
    z.object({ type: z.literal("segment"), name: z.string() }),
    z.object({ type: z.literal("computer"), mac: z.string() }),
  ]),
  /** The computer of the site with this card, `null` when it is none or the subject is a segment. */
  computerId: z.string().nullable(),
  evidence: z.string(),
  cause: z.string(),
  remedy: z.string().nullable(),
  firstSeenAt: epochMs,
  lastSeenAt: epochMs,
  seenCount: z.number(),
});
export type FindingResource = z.infer<typeof findingSchema>;

/** Live proof of the plan. */
export const verifyRoutes = {
  verifyPlan: {
    method: "POST",
    path: "/plan/verify",
    scope: "site",
    summary: "Try every flow in every segment; the operation's result is the list of verdicts",
    access: "operator",
    body: verifyPlanSchema,
    response: operationSchema,
  },
  listFindings: {
    method: "GET",
    path: "/plan/findings",
    scope: "filtered",
    summary: "What is wrong with segments and computers, seen by watching and by verifying",
    response: z.array(findingSchema),
  },
  listVerdicts: {
    method: "GET",
    path: "/plan/verdicts",
    scope: "filtered",
    summary: "The last verdicts on each segment",
    response: z.array(verifiedSegmentSchema),
  },
} as const satisfies Routes;
