import { z } from "zod";
import type { Routes } from "./route.ts";

export const findingSchema = z.object({
  code: z.string(),
  severity: z.enum(["fault", "warning", "note"]),
  subject: z.string(),
  flows: z.array(z.string()),
  what: z.string(),
  why: z.string(),
  /** The command that mends it. */
  mend: z.string(),
});
export type FindingResource = z.infer<typeof findingSchema>;

/** What the settings of the site would do to its network. */
export const planLintRoutes = {
  lintPlan: {
    method: "GET",
    path: "/plan/lint",
    scope: { shared: "the network is everybody's; names no computer" },
    summary: "Groups, TTLs, ports and segments that hurt, the worst first",
    response: z.array(findingSchema),
  },
} as const satisfies Routes;
