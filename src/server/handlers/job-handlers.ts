import { randomBytes } from "node:crypto";
import type { TaskRequest } from "#api/job-api.ts";
import type { JobResource } from "#api/job-api.ts";
import type { Job, Task } from "#engine/job/job.ts";
import { summariseJob, summariseRun } from "#engine/job/summarise-job.ts";
import { type Principal, requireFleetConfirmation } from "../accounts/principal.ts";
import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

function toJob(server: PortolanServer, job: Job): JobResource {
  const runs = server.jobs.runsOf(job.id);
  const nowMs = server.clock.epochMs();
  return {
    id: job.id,
    name: job.name,
    createdAt: job.createdAtMs,
    state: summariseJob(runs),
    tasks: [...job.tasks],
    runs: runs.map((run) => {
      const summary = summariseRun(job, run, nowMs);
      return {
        ...summary,
        computerId: run.computerId,
        computerName: server.registry.get(run.computerId)?.name ?? run.computerId,
        updatedAt: Math.round(run.updatedAtMs),
      };
    }),
  };
}

async function toTask(server: PortolanServer, task: TaskRequest): Promise<Task> {
  if (task.kind === "capture-image") {
    const { kind, name, disk, isForced } = task;
    return { kind, imageName: name, disk, isForced };
  }
  if (task.kind !== "deploy-image") {
    return task;
  }
  const image = await server.images.find(task.image);
  const { kind, disk, options } = task;
  const isExact = options === undefined;
  return { kind, imageId: image.id, imageName: image.name, disk, ...(isExact ? {} : { options }) };
}

function requireJob(server: PortolanServer, id: string): Job {
  const job = server.jobs.findJob(id);
  if (job === null) {
    throw new ApiError(404, "not-found", `there is no job ${id}; portolan job list shows them`);
  }
  return job;
}

/** Work that writes disks is for approved computers only; an identity in doubt never gets it. */
function requireApproved(server: PortolanServer, words: readonly string[]): string[] {
  const computers = words.map((word) => server.registry.require(word));
  const refused = computers.find((computer) => computer.state !== "approved");
  if (refused !== undefined) {
    const why = refused.state === "conflict" ? `is held: ${refused.reason}` : "waits for approval";
    throw new ApiError(409, "not-approved", `computer ${refused.id} (${refused.name}) ${why}`);
  }
  return [...new Set(computers.map(({ id }) => id))];
}

/** Tasks after which a disk is not what it was. */
function isDestructive(tasks: readonly Task[]): boolean {
  return tasks.some(({ kind }) => kind === "deploy-image");
}

export function jobHandlers(server: PortolanServer) {
  const { jobs } = server;
  const requireConfirmation = (
    principal: Principal,
    tasks: readonly Task[],
    computerIds: readonly string[],
  ): void =>
    requireFleetConfirmation(
      principal,
      { computerCount: computerIds.length, isDestructive: isDestructive(tasks) },
      server.clock.epochMs(),
    );
  return {
    createJob: async ({ body, principal }) => {
      const tasks: Task[] = [];
      for (const task of body.tasks) {
        tasks.push(await toTask(server, task));
      }
      const computerIds = requireApproved(server, body.computers);
      requireConfirmation(principal, tasks, computerIds);
      const id = `j-${randomBytes(4).toString("hex")}`;
      return toJob(server, await jobs.createJob(id, body.name, tasks, computerIds));
    },
    listJobs: async () => jobs.listJobs().map((job) => toJob(server, job)),
    showJob: async ({ id }) => toJob(server, requireJob(server, id)),
    assignJob: async ({ id, body, principal }) => {
      const job = requireJob(server, id);
      const computerIds = requireApproved(server, body.computers);
      requireConfirmation(principal, job.tasks, computerIds);
      await jobs.assign(id, computerIds);
      return toJob(server, job);
    },
    cancelJob: async ({ id, principal }) => {
      const job = requireJob(server, id);
      await jobs.cancel(id, principal.name);
      return toJob(server, job);
    },
  } satisfies Partial<ApiHandlers>;
}
