import { z } from "zod";
import type { Routes } from "./route.ts";
import { machineText } from "./values.ts";

const actionSchema = z.enum(["wait", "local", "menu", "job"]);

export const initialDeploymentSchema = z.object({
  /** What new computers get once they are let in. `local`: they are not booted at all. */
  action: actionSchema,
  /** What the menu shows, in order: the jobs, then `local` and `wait`. */
  entries: z.array(
    z.object({
      /** A job's id, `local` or `wait`. */
      choice: z.string(),
      label: z.string(),
      isDestructive: z.boolean(),
      isDefault: z.boolean(),
    }),
  ),
  /** As it was set: a job's id, `local` or `wait`. */
  default: z.string(),
  /** Name of the default job; `null`: the default is no job, or the job is gone. */
  defaultName: z.string().nullable(),
  /** 0: the menu waits for a person. */
  menuMs: z.number(),
  /** The default may erase disks without a person at the computer. */
  mayErase: z.boolean(),
  /** What of this will not come about, and the way out. */
  problems: z.array(z.string()),
  /** Computers in preboot that are at it now. */
  computers: z.array(
    z.object({
      computerId: z.string(),
      name: machineText,
      state: z.enum(["menu", "waiting"]),
      text: z.string(),
    }),
  ),
});
export type InitialDeploymentResource = z.infer<typeof initialDeploymentSchema>;

/** Left out: as it was. Jobs by id or by a name that only one has. */
export const setInitialDeploymentSchema = z
  .object({
    action: actionSchema.optional(),
    jobs: z.array(z.string().min(1).max(128)).max(7).optional().describe("What the menu offers, in order."),
    default: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe("A job, local or wait: taken when nobody chooses, and by the action job."),
    menuMs: z.number().int().min(0).max(86_400_000).optional(),
    mayErase: z
      .boolean()
      .optional()
      .describe("Without it a default job that erases disks is not taken unless a person chooses it."),
  })
  .strict();

/** What new computers get: the settings `initialDeployment.*` in one place, with the names of jobs. */
export const initialDeploymentRoutes = {
  showInitialDeployment: {
    method: "GET",
    path: "/initial-deployment",
    scope: "filtered",
    summary: "What new computers get, and who is at it",
    response: initialDeploymentSchema,
  },
  setInitialDeployment: {
    method: "PUT",
    path: "/initial-deployment",
    access: "administrator",
    scope: "site",
    summary: "Change what new computers get",
    body: setInitialDeploymentSchema,
    response: initialDeploymentSchema,
  },
  askInitialDeployment: {
    method: "POST",
    path: "/computers/:id/initial-deployment",
    access: "operator",
    scope: "computer",
    summary: "Give a known computer Initial Deployment at its next network boot",
    body: z.object({ isAsked: z.boolean().default(true) }).strict(),
    response: z.object({ computerId: z.string(), isAsked: z.boolean(), text: z.string() }),
  },
} as const satisfies Routes;
