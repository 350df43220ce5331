import { buildRouteMap } from "@stricli/core";
import type { JobResource, PreviewResource } from "#api/job-api.ts";
import { apiCommand, type CommandAnswer, UsageError } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatTime } from "../format-units.ts";
import { diskOption, parseDiskRule, parseRestore, restoreFlags, restoreSwitches } from "../restore-flags.ts";
import { readJobFile } from "../job-file/read-job-file.ts";
import { formatJob, summariseJob, watchJob } from "../job-progress.ts";
import { printable } from "../printable-text.ts";
import { startStream } from "../start-stream.ts";

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

const unitsMs: Readonly<Record<string, number>> = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

function parseTime(text: string): number {
  const [, count, unit = ""] = /^(\d{1,6})\s?(s|min|h|d)$/.exec(text) ?? [];
  const unitMs = unitsMs[unit];
  if (count === undefined || unitMs === undefined) {
    throw new UsageError(`${text} is no time; it is like 90s, 30min, 2h or 1d`);
  }
  return Number(count) * unitMs;
}

/** What would happen, computer by computer. */
function formatPreview(preview: PreviewResource): string {
  const starts = preview.startsAt === null ? "never" : formatTime(preview.startsAt);
  const lines = [`job ${printable(preview.name)} would begin ${starts}; nothing was done`];
  for (const { computerName, condition, steps, obstacles } of preview.computers) {
    lines.push(
      "",
      `${printable(computerName)}${condition === null ? "" : ` (condition ${printable(condition)})`}`,
    );
    for (const { text, taskIndex, isDestructive } of steps) {
      const number = taskIndex === null ? "   " : `${String(taskIndex + 1).padStart(2)}.`;
      lines.push(`  ${number} ${printable(text)}${isDestructive ? "  ! destroys what is on it" : ""}`);
    }
    lines.push(...obstacles.map((obstacle) => `  ! ${printable(obstacle)}`));
  }
  return lines.join("\n");
}

export function answerForJob(job: JobResource): CommandAnswer {
  return { json: job, text: summariseJob(job), exitCode: job.state === "done" ? 0 : 1 };
}

const groupFlag = {
  group: { brief: "All computers in this group and in those in it", placeholder: "GROUP" },
} as const;

/** Computers one by one, a group, or both. @throws UsageError when there is neither */
function readTargets(list: readonly string[], group: string | undefined) {
  if (list.length === 0 && group === undefined) {
    throw new UsageError("name a computer, or a group with --group");
  }
  return { computers: [...list], groups: group === undefined ? [] : [group] };
}

const forceSwitch = {
  force: { brief: "Although the network was proven not to carry it; noted at each run" },
} as const;

export const jobCommand = buildRouteMap({
  docs: { brief: "Create, assign, watch and cancel jobs" },
  routes: {
    create: apiCommand<[string]>({
      brief: "Create a job from a YAML, TOML or JSON file",
      arguments: ["FILE"],
      flags: groupFlag,
      switches: {
        "dry-run": { brief: "Print what would happen on each computer, and do nothing" },
        ...forceSwitch,
      },
      run: async ({ client, args: [path], flags: { group }, switches }) => {
        const file = await readJobFile(path);
        const groups = group === undefined ? file.groups : [...file.groups, group];
        const body = { ...file, groups, force: file.force || switches["force"] === true };
        if (switches["dry-run"] === true) {
          const preview = await client.call("previewJob", { body });
          return { json: preview, text: formatPreview(preview) };
        }
        const job = await client.call("createJob", { body });
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
      isListOptional: true,
      flags: groupFlag,
      switches: forceSwitch,
      run: async ({ client, args: [id], list, flags, switches }) => {
        const body = { ...readTargets(list, flags["group"]), force: switches["force"] === true };
        const job = await client.call("assignJob", { id, body });
        return { json: job, text: formatJob(job) };
      },
    }),
    defer: apiCommand<[string, string]>({
      brief: "Begin no further task of a job for a while: 30min, 2h, 1d",
      arguments: ["JOB", "TIME"],
      run: async ({ client, args: [id, time] }) => {
        const untilAt = Date.now() + parseTime(time);
        const job = await client.call("deferJob", { id, body: { untilAt } });
        return { json: job, text: formatJob(job) };
      },
    }),
    history: apiCommand<[string]>({
      brief: "Every job that a computer has done or has to do",
      arguments: ["COMPUTER"],
      run: async ({ client, args: [id] }) => {
        const runs = await client.call("listComputerRuns", { id });
        const rows = runs.map(({ run, jobName }) => [
          run.id,
          printable(jobName),
          run.state,
          formatTime(run.queuedAt),
          run.endedAt === null ? "" : formatTime(run.endedAt),
          run.reason === null ? "" : printable(run.reason),
        ]);
        const heads = ["run", "job", "state", "assigned", "ended", "reason"];
        return { json: runs, text: rows.length === 0 ? "no job yet" : formatTable(heads, rows) };
      },
    }),
    run: apiCommand<[string]>({
      brief: "What one computer did of one job, step by step",
      arguments: ["RUN"],
      run: async ({ client, args: [id] }) => {
        const found = await client.call("showRun", { id });
        const rows = found.steps.map(({ at, state, taskIndex, attempt, exitCode, reason }) => [
          formatTime(at),
          state,
          String(taskIndex + 1),
          String(attempt),
          exitCode === null ? "" : String(exitCode),
          reason === null ? "" : printable(reason),
        ]);
        const table = formatTable(["time", "state", "task", "attempt", "code", "reason"], rows);
        return {
          json: found,
          text: `${printable(found.jobName)} on ${printable(found.run.computerName)}\n${table}`,
        };
      },
    }),
    replay: apiCommand<[string, string]>({
      brief: "Do on new hardware what made an old computer what it is",
      arguments: ["OLD-COMPUTER", "NEW-COMPUTER"],
      run: async ({ client, args: [from, id] }) => {
        const jobs = await client.call("replayComputer", { id, body: { from } });
        return { json: jobs, text: formatJobs(jobs) };
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
  isListOptional: true,
  flags: {
    ...restoreFlags,
    ...groupFlag,
    from: { brief: "Make IMAGE of this computer's disk meanwhile", placeholder: "COMPUTER" },
    fromDisk: { ...diskOption, brief: "With --from: which disk of that computer" },
  },
  switches: { ...restoreSwitches, ...forceSwitch },
  run: async ({ client, args: [image], list, flags, switches, isJson, stdout }) => {
    const { disk, from } = flags;
    const restore = await parseRestore(flags, switches);
    const source = { from: from ?? "", image, disk: flags["fromDisk"] };
    const found = from === undefined ? image : await startStream(client, source, isJson ? null : stdout);
    if (typeof found !== "string") {
      return answerForJob(found);
    }
    const task = {
      kind: "deploy-image" as const,
      image: found,
      ...(disk === undefined ? {} : { disk: parseDiskRule(disk) }),
      ...(restore === null ? {} : { options: restore }),
    };
    const job = await client.call("createJob", {
      body: {
        ...{ name: `deploy ${image}`, tasks: [task], ...readTargets(list, flags["group"]) },
        force: switches["force"] === true,
      },
    });
    return answerForJob(await watchJob(client, job.id, isJson ? null : stdout));
  },
});
