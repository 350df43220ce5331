import { z } from "zod";
import { pageSchema } from "./page.ts";
import type { Routes } from "./route.ts";
import { epochMs, machineText, nothingSchema } from "./values.ts";

const port = z.number().int().min(1).max(65_535);
const durationMs = z
  .number()
  .int()
  .min(5000)
  .max(24 * 3_600_000);

/** What an installed agent runs with. */
export const agentSettingsSchema = z.object({
  /** IPv4 address; `null`: found by multicast alone. */
  server: z.ipv4().nullable(),
  controlPort: port,
  discovery: z.boolean(),
  discoveryGroup: z.ipv4(),
  discoveryPort: port,
  discoveryTtl: z.number().int().min(1).max(255),
  /** What it answers to operators: yes, what its user says, or no. */
  remoteControl: z.enum(["allow", "ask", "never"]),
  /** Who is logged in is told while an operator works. */
  remoteNotice: z.boolean(),
});

export const agentSettingsChangeSchema = agentSettingsSchema
  .extend({
    /** Local changes need it from now on; `null` takes the lock away. Kept as a hash alone. */
    lockPassword: z.string().min(4).max(128).nullable(),
  })
  .partial()
  .strict();

export const agentStateSchema = z.object({
  computerId: z.string(),
  name: machineText,
  /** `null`: it has not told yet. */
  settings: agentSettingsSchema.nullable(),
  isLocked: z.boolean(),
  change: z
    .object({
      changeId: z.string(),
      change: agentSettingsSchema.partial(),
      outcome: z.enum(["sent", "applied", "returned", "refused"]),
      reason: z.string().nullable(),
      sentAtMs: epochMs,
    })
    .nullable(),
});
export type AgentStateResource = z.infer<typeof agentStateSchema>;

export const computerEventSchema = z.object({
  at: epochMs,
  computerId: z.string().nullable(),
  kind: z.string(),
  detail: z.string(),
});
export type ComputerEventResource = z.infer<typeof computerEventSchema>;

export const enrolmentTokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  usesLeft: z.number(),
  expiresAt: epochMs,
});
export type EnrolmentTokenResource = z.infer<typeof enrolmentTokenSchema>;

const enrolmentWindowSchema = z.object({ untilMs: epochMs.nullable() });

/** What lets computers in without an approval. */
export const enrolmentRoutes = {
  listEnrolmentTokens: {
    method: "GET",
    path: "/enrolment-tokens",
    access: "operator",
    scope: "site",
    summary: "Tokens that let computers in",
    query: pageSchema,
    pagedBy: "id",
    response: z.array(enrolmentTokenSchema),
  },
  createEnrolmentToken: {
    method: "POST",
    path: "/enrolment-tokens",
    scope: "site",
    summary: "A token that lets so many computers in, for a time; its text is told once",
    body: z
      .object({
        name: z.string().min(1).max(64).default("installer"),
        uses: z.number().int().min(1).max(10_000).default(1),
        validMs: z
          .number()
          .int()
          .min(60_000)
          .max(90 * 24 * 3_600_000)
          .default(24 * 3_600_000),
      })
      .strict(),
    isToldOnce: true,
    response: enrolmentTokenSchema.extend({ token: z.string() }),
  },
  removeEnrolmentToken: {
    method: "DELETE",
    path: "/enrolment-tokens/:id",
    scope: "site",
    summary: "Make a token worthless",
    response: nothingSchema,
  },
  showEnrolmentWindow: {
    method: "GET",
    path: "/enrolment-window",
    scope: "site",
    summary: "Until when every unknown computer is let in",
    response: enrolmentWindowSchema,
  },
  openEnrolmentWindow: {
    method: "PUT",
    path: "/enrolment-window",
    scope: "site",
    summary: "Let every unknown computer in for a time; 0 ends it",
    body: z
      .object({
        forMs: z
          .number()
          .int()
          .min(0)
          .max(24 * 3_600_000),
      })
      .strict(),
    response: enrolmentWindowSchema,
  },
  revokeComputer: {
    method: "POST",
    path: "/computers/:id/revoke",
    scope: "computer",
    summary: "Take its right to connect away until it is approved again",
    response: nothingSchema,
  },
} as const satisfies Routes;

/** Agents: their settings, and what happened to their computers. */
export const agentRoutes = {
  showAgentSettings: {
    method: "GET",
    path: "/computers/:id/settings",
    scope: "computer",
    summary: "What its agent runs with, and the last change",
    response: agentStateSchema,
  },
  changeAgentSettings: {
    method: "POST",
    path: "/agent-settings",
    scope: "named",
    summary: "Change the settings of one or many agents; they return when contact is lost",
    body: z
      .object({
        computers: z.array(z.string().min(1).max(128)).min(1).max(10_000),
        change: agentSettingsChangeSchema,
        returnAfterMs: durationMs.default(120_000),
      })
      .strict(),
    response: z.array(
      z.object({
        computerId: z.string(),
        name: machineText,
        /** `null`: it could not be sent. */
        changeId: z.string().nullable(),
        reason: z.string().nullable(),
      }),
    ),
  },
  showAgentScript: {
    method: "GET",
    path: "/agent-script",
    access: "operator",
    scope: { shared: "the same script for every computer" },
    summary: "The script that computers without an agent fetch: its hash, and where its programs are put",
    response: z.object({
      sha256: z.string(),
      /** TCP port of the console, which serves it. */
      port: z.number(),
      /** On the server. */
      folder: z.string(),
    }),
  },
  listComputerHistory: {
    method: "GET",
    path: "/computers/:id/history",
    scope: "computer",
    summary: "What happened to it outside of boots and jobs, newest first",
    response: z.array(computerEventSchema),
  },
  listHistory: {
    method: "GET",
    path: "/history",
    scope: "filtered",
    summary: "What happened to computers outside of boots and jobs, newest first",
    response: z.array(computerEventSchema),
  },
} as const satisfies Routes;
