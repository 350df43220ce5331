import { allTasksOf, type Job } from "#engine/job/job.ts";
import { jobsToReplay } from "#engine/job/replay.ts";
import { isDestructive } from "#engine/job/task-traits.ts";
import { type Principal, requireFleetConfirmation } from "../accounts/principal.ts";
import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import { readJobRequest, type JobSources } from "../job-request.ts";
import { toJob, toPreview, toRun } from "../job-resource.ts";
import type { PortolanServer } from "../server.ts";
import { gateJob } from "../verify/gate-job.ts";

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

function sourcesOf(server: PortolanServer): JobSources {
  const { images, packages, chunks, registry, clock } = server;
  return { images, packages, chunks, registry, nowMs: clock.epochMs() };
}

export function jobHandlers(server: PortolanServer) {
  const { jobs } = server;
  const requireConfirmation = (principal: Principal, job: Job, computerIds: readonly string[]): void =>
    requireFleetConfirmation(
      principal,
      { computerCount: computerIds.length, isDestructive: allTasksOf(job).some(isDestructive) },
      server.clock.epochMs(),
    );
  return {
    createJob: async ({ body, principal }) => {
      const computerIds = requireApproved(server, body.computers);
      const job = await readJobRequest(body, sourcesOf(server));
      requireConfirmation(principal, job, computerIds);
      const gateOf = await gateJob(server, job, computerIds, { principal, isForced: body.force });
      return toJob(server, await jobs.createJob(job, computerIds, gateOf));
    },
    previewJob: async ({ body }) => {
      const computers = body.computers.map((word) => server.registry.require(word));
      return toPreview(server, await readJobRequest(body, sourcesOf(server)), computers);
    },
    listJobs: async ({ query: { state, computer } }) =>
      jobs
        .listJobs()
        .map((job) => toJob(server, job))
        .filter((job) => state === undefined || job.state === state)
        .filter(
          (job) => computer === undefined || job.runs.some(({ computerId }) => computerId === computer),
        ),
    showJob: async ({ id }) => toJob(server, requireJob(server, id)),
    assignJob: async ({ id, body, principal }) => {
      const job = requireJob(server, id);
      const computerIds = requireApproved(server, body.computers);
      requireConfirmation(principal, job, computerIds);
      const gateOf = await gateJob(server, job, computerIds, { principal, isForced: body.force });
      await jobs.assign(id, computerIds, gateOf);
      return toJob(server, job);
    },
    deferJob: async ({ id, body }) => {
      const job = requireJob(server, id);
      const computerIds = body.computers?.map((word) => server.registry.require(word).id) ?? null;
      await jobs.defer(id, computerIds, body.untilAt);
      return toJob(server, job);
    },
    cancelJob: async ({ id, principal }) => {
      const job = requireJob(server, id);
      await jobs.cancel(id, principal.name);
      return toJob(server, job);
    },
    ...historyHandlers(server, requireConfirmation),
  } satisfies Partial<ApiHandlers>;
}

function historyHandlers(
  server: PortolanServer,
  requireConfirmation: (principal: Principal, job: Job, computerIds: readonly string[]) => void,
) {
  const { jobs } = server;
  return {
    showRun: async ({ id }) => {
      const run = jobs.findRun(id);
      const job = run === null ? null : jobs.findJob(run.jobId);
      if (run === null || job === null) {
        throw new ApiError(
          404,
          "not-found",
          `there is no run ${id}; portolan job history COMPUTER shows them`,
        );
      }
      const steps = await server.jobStore.listSteps(id);
      return {
        run: toRun(server, job, run),
        jobName: job.name,
        steps: steps.map(({ atMs, state, taskIndex, attempt, exitCode, reason }) => ({
          ...{ at: atMs, state, taskIndex, attempt, exitCode, reason: reason?.text ?? null },
        })),
      };
    },
    listComputerRuns: async ({ id }) =>
      jobs.runsOfComputer(server.registry.require(id).id).flatMap((run) => {
        const job = jobs.findJob(run.jobId);
        return job === null ? [] : [{ run: toRun(server, job, run), jobName: job.name }];
      }),
    replayComputer: async ({ id, body, principal }) => {
      const [computerId] = requireApproved(server, [id]);
      const from = server.registry.require(body.from);
      if (computerId === undefined || computerId === from.id) {
        throw new ApiError(400, "bad-request", "name another computer to replay the history of");
      }
      const known = new Map(jobs.listJobs().map((job) => [job.id, job]));
      const replayed = jobsToReplay(jobs.runsOfComputer(from.id), known).map((jobId) =>
        requireJob(server, jobId),
      );
      if (replayed.length === 0) {
        throw new ApiError(409, "nothing-to-replay", `${from.name} has no job that was done`);
      }
      for (const job of replayed) {
        requireConfirmation(principal, job, [computerId]);
      }
      for (const job of replayed) {
        await jobs.assign(job.id, [computerId]);
      }
      return replayed.map((job) => toJob(server, job));
    },
  } satisfies Partial<ApiHandlers>;
}
