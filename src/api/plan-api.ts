import { z } from "zod";
import type { Routes } from "./route.ts";
import { segmentSchema } from "./segment-api.ts";
import { epochMs } from "./values.ts";

export const flowSchema = z.object({
  id: z.string(),
  title: z.string(),
  purpose: z.string(),
  /** When it is on the wire. */
  needed: z.string(),
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
  /** Intents of the segments that need it across their boundary. */
  intents: z.array(z.string()),
  /** The flow whose sockets carry it; `null`: its own. */
  carrier: z.string().nullable(),
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
  segments: z.array(segmentSchema),
  flows: z.array(flowSchema),
  /** Where this server's open sockets or its configuration file disagree with the plan; empty when the plan is the program. */
  differences: z.array(z.string()),
  /** The other servers of the site, as they last said; the differences of one that is silent are not known. */
  others: z.array(
    z.object({
      server: z.string(),
      isAlive: z.boolean(),
      seenAt: epochMs,
      differences: z.array(z.string()),
    }),
  ),
});
export type PlanResource = z.infer<typeof planSchema>;

/** Flows, segments and open sockets. */
export const planRoutes = {
  showPlan: {
    method: "GET",
    path: "/plan",
    scope: { shared: "the network is everybody's; names no computer" },
    summary: "All flows and sockets",
    response: planSchema,
  },
} as const satisfies Routes;
