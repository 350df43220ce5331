import { z } from "zod";
import { conditionSchema, scheduleSchema, windowSchema } from "./job-values.ts";
import { groupWord } from "./group-api.ts";
import { pageQuery } from "./page.ts";
import type { Routes } from "./route.ts";
import { taskSchema } from "./task-schema.ts";
import { epochMs, machineText } from "./values.ts";

export const runSchema = z.object({
  id: z.string(),
  jobId: z.string(),
  /** Which time of a repeated job, from 1. */
  occurrence: z.number(),
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
  /** Name of the condition that gave it its tasks; `null`: the job's own. */
  condition: z.string().nullable(),
  /** Of its current task, from 0; the number of its tasks when all are done. */
  taskIndex: z.number(),
  /** Of the last task that ended with one. */
  exitCode: z.number().nullable(),
  /** What the last proof of the network meant for it; `null`: nothing against it. */
  gate: z
    .object({
      /** `unicast`: it fetches for itself. `forced`: assigned although the network does not carry it. */
      decision: z.enum(["forced", "unicast"]),
      by: machineText.nullable(),
      text: machineText,
    })
    .nullable(),
  queuedAt: epochMs,
  startedAt: epochMs.nullable(),
  endedAt: epochMs.nullable(),
  updatedAt: epochMs,
});
export type RunResource = z.infer<typeof runSchema>;

export const jobSchema = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: epochMs,
  state: z.enum(["scheduled", "running", "done", "failed", "cancelled"]),
  tasks: z.array(z.unknown()),
  conditions: z.array(z.object({ name: z.string(), tasks: z.array(z.unknown()) })),
  /** When it begins (again); `null`: not by itself. */
  nextAt: epochMs.nullable(),
  /** How often it has begun. */
  occurrence: z.number(),
  concurrency: z.number().nullable(),
  /** The newest run of each computer. */
  runs: z.array(runSchema),
});
export type JobResource = z.infer<typeof jobSchema>;

const tasksSchema = z.array(taskSchema).max(64);

/** A job as a file or a request describes it. */
export const createJobSchema = z
  .object({
    name: z.string().min(1).max(128),
    tasks: tasksSchema.default([]).describe("In order; for computers that no condition holds for."),
    conditions: z
      .array(
        z
          .object({ name: z.string().min(1).max(64), when: conditionSchema, tasks: tasksSchema.min(1) })
          .strict(),
      )
      .max(32)
      .default([])
      .describe("In order: the first that holds when a computer begins gives it its tasks."),
    computers: z
      .array(z.string().min(1).max(256))
      .max(10_000)
      .default([])
      .describe("Ids, names, MAC addresses or serial numbers; may be assigned later."),
    groups: z
      .array(groupWord)
      .max(64)
      .default([])
      .describe("Groups of computers, by name, path or id: who is in them when the job is assigned."),
    schedule: scheduleSchema.optional().describe("Without one the job begins at once."),
    windows: z
      .array(windowSchema)
      .max(32)
      .default([])
      .describe("Tasks begin only inside of these, in the schedule's time zone or windowTimeZone."),
    windowTimeZone: z.string().min(1).max(64).optional(),
    concurrency: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .optional()
      .describe("Computers that are at it at the same time."),
    force: z
      .boolean()
      .default(false)
      .describe("Assign it although the network was proven not to carry it; noted at each run."),
  })
  .strict()
  .superRefine((job, context) =>
    checkJob(job, (path, message) => context.addIssue({ code: "custom", path, message })),
  );
export type CreateJobRequest = z.input<typeof createJobSchema>;
export type JobRequest = z.output<typeof createJobSchema>;

type Refuse = (path: (string | number)[], message: string) => void;

function checkJob(job: Pick<JobRequest, "tasks" | "conditions">, refuse: Refuse): void {
  if (job.tasks.length === 0 && job.conditions.length === 0) {
    refuse(["tasks"], "a job needs a task");
  }
  checkTasks(job.tasks, ["tasks"], refuse);
  for (const [index, { tasks }] of job.conditions.entries()) {
    checkTasks(tasks, ["conditions", index, "tasks"], refuse);
  }
}

function checkTasks(tasks: JobRequest["tasks"], path: (string | number)[], refuse: Refuse): void {
  const names = tasks.map(({ name }) => name).filter((name) => name !== undefined);
  for (const [index, task] of tasks.entries()) {
    const at = [...path, index];
    if (task.name !== undefined && names.indexOf(task.name) !== names.lastIndexOf(task.name)) {
      refuse([...at, "name"], `two tasks are called ${task.name}`);
    }
    for (const [code, action] of Object.entries(task.codes ?? {})) {
      const target = action.startsWith("jump ") ? action.slice("jump ".length).trim() : null;
      if (target !== null && !names.includes(target)) {
        const known = names.length === 0 ? "no task has a name" : `there are ${names.join(", ")}`;
        refuse([...at, "codes", code], `no task is called ${target}; ${known}`);
      }
    }
    if (task.kind === "run-script" && (task.script === undefined) === (task.scriptFile === undefined)) {
      refuse(at, "a script task has either script or scriptFile");
    }
    if (task.kind === "deploy-installer" && task.answers !== undefined && task.answersFile !== undefined) {
      refuse(at, "an installer's task has either answers or answersFile");
    }
    if (task.kind === "copy-file" && (task.source === undefined) === (task.content === undefined)) {
      refuse(at, "a copy task has either source or content");
    }
  }
}

/** What would happen, and did not. */
export const previewSchema = z.object({
  name: z.string(),
  startsAt: epochMs.nullable(),
  computers: z.array(
    z.object({
      computerId: z.string(),
      computerName: machineText,
      condition: z.string().nullable(),
      steps: z.array(
        z.object({ text: z.string(), taskIndex: z.number().nullable(), isDestructive: z.boolean() }),
      ),
      /** Why it would not begin, or not as it is now. */
      obstacles: z.array(z.string()),
    }),
  ),
});
export type PreviewResource = z.infer<typeof previewSchema>;

export const runStepSchema = z.object({
  at: epochMs,
  state: z.string(),
  taskIndex: z.number(),
  attempt: z.number(),
  exitCode: z.number().nullable(),
  reason: z.string().nullable(),
});

export const assignJobSchema = z
  .object({
    computers: z.array(z.string().min(1).max(256)).max(10_000).default([]),
    /** Who is in these groups of computers now. */
    groups: z.array(groupWord).max(64).default([]),
    /** Although the network was proven not to carry it; noted at each run. */
    force: z.boolean().default(false),
  })
  .strict()
  .refine(({ computers, groups }) => computers.length + groups.length > 0, "name a computer or a group");

/** Jobs, their tasks and runs. */
export const jobRoutes = {
  createJob: {
    method: "POST",
    path: "/jobs",
    access: "operator",
    scope: "named",
    summary: "Create a job and assign it",
    body: createJobSchema,
    response: jobSchema,
  },
  listJobs: {
    method: "GET",
    path: "/jobs",
    scope: "filtered",
    summary: "All jobs",
    query: z
      .object({
        ...pageQuery,
        state: jobSchema.shape.state.optional(),
        /** Jobs that this computer has a run of; by its id. */
        computer: z.string().max(256).optional(),
      })
      .strict(),
    pagedBy: "id",
    response: z.array(jobSchema),
  },
  showJob: { method: "GET", path: "/jobs/:id", scope: "named", summary: "One job", response: jobSchema },
  assignJob: {
    method: "POST",
    path: "/jobs/:id/assign",
    access: "operator",
    scope: "named",
    summary: "Assign a job to more computers",
    body: assignJobSchema,
    response: jobSchema,
  },
  previewJob: {
    method: "POST",
    path: "/jobs/preview",
    access: "operator",
    scope: "named",
    summary: "What a job would do on each computer; nothing is done",
    body: createJobSchema,
    response: previewSchema,
  },
  deferJob: {
    method: "POST",
    path: "/jobs/:id/defer",
    access: "operator",
    scope: "named",
    summary: "Begin no further task of this job before a time",
    body: z
      .object({
        untilAt: epochMs,
        computers: z.array(z.string().min(1).max(256)).min(1).max(10_000).optional(),
      })
      .strict(),
    response: jobSchema,
  },
  showRun: {
    method: "GET",
    path: "/runs/:id",
    scope: "named",
    summary: "What one computer did of one job, step by step",
    response: z.object({ run: runSchema, jobName: z.string(), steps: z.array(runStepSchema) }),
  },
  listComputerRuns: {
    method: "GET",
    path: "/computers/:id/runs",
    scope: "computer",
    summary: "Every job that a computer has done or has to do, oldest first",
    response: z.array(z.object({ run: runSchema, jobName: z.string() })),
  },
  replayComputer: {
    method: "POST",
    path: "/computers/:id/replay",
    access: "operator",
    scope: "computer",
    summary: "Do on this computer what another has become by",
    body: z.object({ from: z.string().min(1).max(256) }).strict(),
    response: z.array(jobSchema),
  },
  cancelJob: {
    method: "POST",
    path: "/jobs/:id/cancel",
    access: "operator",
    scope: "named",
    summary: "Stop a job",
    response: jobSchema,
  },
} as const satisfies Routes;
