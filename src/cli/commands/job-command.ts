import { readFile } from "node:fs/promises";
import { buildRouteMap } from "@stricli/core";
import { parse as parseToml } from "smol-toml";
import { z } from "zod";
import { createJobSchema } from "#api/job-api.ts";
import type { JobResource } from "#api/job-api.ts";
import { apiCommand, type CommandAnswer, UsageError } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatTime } from "../format-units.ts";
import { parseDiskRule, parseRestore, restoreFlags, restoreSwitches } from "../restore-flags.ts";
import { formatJob, summariseJob, watchJob } from "../job-progress.ts";

function formatJobs(jobs: readonly JobResource[]): string {
  if (jobs.length === 0) {
    return "no job yet; portolan deploy IMAGE COMPUTER… makes one";
  }
  const rows = jobs.map((job) => [
    job.id,
    job.name,
    job.state,
    `${job.runs.filter((run) => run.state === "done").length}/${job.runs.length}`,
    formatTime(job.createdAt),
  ]);
  return formatTable(["id", "name", "state", "done", "created"], rows);
}

async function readJobFile(path: string): Promise<z.input<typeof createJobSchema>> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new UsageError(
      `${path} could not be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  let raw: unknown;
  try {
    raw = path.endsWith(".json") ? JSON.parse(text) : parseToml(text);
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = createJobSchema.safeParse(raw);
  if (!parsed.success) {
    throw new UsageError(`${path}: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

export function answerForJob(job: JobResource): CommandAnswer {
  return { json: job, text: summariseJob(job), exitCode: job.state === "done" ? 0 : 1 };
}

export const jobCommand = buildRouteMap({
  docs: { brief: "Create, assign, watch and cancel jobs" },
  routes: {
    create: apiCommand<[string]>({
      brief: "Create a job from a TOML or JSON file",
      arguments: ["FILE"],
      run: async ({ client, args: [path] }) => {
        const job = await client.call("createJob", { body: await readJobFile(path) });
        return { json: job, text: formatJob(job) };
      },
    }),
    list: apiCommand({
      brief: "All jobs, newest first",
      run: async ({ client }) => {
        const jobs = await client.call("listJobs");
        return { json: jobs, text: formatJobs(jobs) };
      },
    }),
    show: apiCommand<[string]>({
      brief: "One job with its computers",
      arguments: ["JOB"],
      run: async ({ client, args: [id] }) => {
        const job = await client.call("showJob", { id });
        return { json: job, text: formatJob(job) };
      },
    }),
    assign: apiCommand<[string]>({
      brief: "Assign a job to more computers",
      arguments: ["JOB"],
      list: "COMPUTER",
      run: async ({ client, args: [id], list }) => {
        const job = await client.call("assignJob", { id, body: { computers: [...list] } });
        return { json: job, text: formatJob(job) };
      },
    }),
    cancel: apiCommand<[string]>({
      brief: "Stop a job; what has been done stays done",
      arguments: ["JOB"],
      run: async ({ client, args: [id] }) => {
        const job = await client.call("cancelJob", { id });
        return { json: job, text: formatJob(job) };
      },
    }),
    watch: apiCommand<[string]>({
      brief: "Follow a job to its end",
      arguments: ["JOB"],
      run: async ({ client, args: [id], isJson, stdout }) =>
        answerForJob(await watchJob(client, id, isJson ? null : stdout)),
    }),
  },
});

export const deployCommand = apiCommand<[string]>({
  brief: "Image these computers now, with a progress bar",
  arguments: ["IMAGE"],
  list: "COMPUTER",
  flags: restoreFlags,
  switches: restoreSwitches,
  run: async ({ client, args: [image], list, flags, switches, isJson, stdout }) => {
    const { disk } = flags;
    const restore = await parseRestore(flags, switches);
    const task = {
      kind: "deploy-image" as const,
      image,
      ...(disk === undefined ? {} : { disk: parseDiskRule(disk) }),
      ...(restore === null ? {} : { options: restore }),
    };
    const job = await client.call("createJob", {
      body: { name: `deploy ${image}`, tasks: [task], computers: [...list] },
    });
    return answerForJob(await watchJob(client, job.id, isJson ? null : stdout));
  },
});
