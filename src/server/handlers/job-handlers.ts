import { allTasksOf, type Job } from "#engine/job/job.ts";
import { jobsToReplay } from "#engine/job/replay.ts";
import { isDestructive } from "#engine/job/task-traits.ts";
import { hasRole, type Principal, requireFleetConfirmation } from "../accounts/principal.ts";
import type { Scope } from "../accounts/scope.ts";
import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import { readJobRequest, type JobSources } from "../job-request.ts";
import { findTargets, requireApproved } from "../job-targets.ts";
import { toJob, toPreview, toRun } from "../job-resource.ts";
import type { PortolanServer } from "../server.ts";
import { gateJob } from "../verify/gate-job.ts";

function computersOf({ jobs }: PortolanServer, jobId: string): ReadonlySet<string> {
  const runs = jobs.runsOf(jobId).map(({ computerId }) => computerId);
  return new Set([...jobs.assignmentOf(jobId).computerIds, ...runs]);
}

/** A job without computers, and one with none that is inside, is the whole site's alone. */
function isSeen(server: PortolanServer, jobId: string, scope: Scope): boolean {
  return scope.groupIds === null || [...computersOf(server, jobId)].some((id) => scope.hasComputer(id));
}

/** @throws ApiError 403 | 404 */
function requireJob(server: PortolanServer, id: string, scope: Scope): Job {
  const job = server.jobs.findJob(id);
  if (job === null) {
    throw new ApiError(404, "not-found", `there is no job ${id}; portolan job list shows them`);
  }
  if (!isSeen(server, id, scope)) {
    scope.requireWholeSite(`the job ${id} has no computer in your groups`);
  }
  return job;
}

/** What somebody kept from one computer goes to another only for who may see both. @throws ApiError 403 */
function requireDonors(job: Job, scope: Scope): void {
  const donors = allTasksOf(job).map((task) =>
    task.kind === "restore-user-data" ? task.fromComputerId : null,
  );
  scope.requireComputers(donors.filter((id) => id !== null));
}

function sourcesOf(server: PortolanServer, principal: Principal, scope: Scope): JobSources {
  const { images, packages, installers, chunks, registry, captures, clock } = server;
  const findArriving = (imageId: string) => {
    const found = captures.findArriving(imageId);
    return found === undefined || !scope.hasComputer(found.computerId)
      ? undefined
      : { id: found.id, name: found.manifest.name };
  };
  const mayNameFiles = hasRole(principal, "administrator");
  return {
    ...{ images, packages, installers, chunks, registry, findArriving, scope, mayNameFiles },
    hasAgent: () => server.management.agentDownloads.isBuilt(),
    nowMs: clock.epochMs(),
  };
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
    createJob: async ({ body, principal, scope }) => {
      const computerIds = requireApproved(server, body, scope);
      if (computerIds.length === 0) {
        scope.requireWholeSite("a job without computers is the whole site's; name some of yours");
      }
      const job = await readJobRequest(body, sourcesOf(server, principal, scope));
      requireConfirmation(principal, job, computerIds);
      const gateOf = await gateJob(server, job, computerIds, { principal, isForced: body.force });
      return toJob(server, await jobs.createJob(job, computerIds, gateOf), scope);
    },
    previewJob: async ({ body, principal, scope }) => {
      const computers = findTargets(server, body, scope);
      return toPreview(server, await readJobRequest(body, sourcesOf(server, principal, scope)), computers);
    },
    listJobs: async ({ query: { state, computer }, scope }) =>
      jobs
        .listJobs()
        .filter(({ id }) => isSeen(server, id, scope))
        .map((job) => toJob(server, job, scope))
        .filter((job) => state === undefined || job.state === state)
        .filter(
          (job) => computer === undefined || job.runs.some(({ computerId }) => computerId === computer),
        ),
    showJob: async ({ id, scope }) => toJob(server, requireJob(server, id, scope), scope),
    assignJob: async ({ id, body, principal, scope }) => {
      const job = requireJob(server, id, scope);
      requireDonors(job, scope);
      const computerIds = requireApproved(server, body, scope);
      requireConfirmation(principal, job, computerIds);
      const gateOf = await gateJob(server, job, computerIds, { principal, isForced: body.force });
      await jobs.assign(id, computerIds, gateOf);
      return toJob(server, job, scope);
    },
    deferJob: async ({ id, body, scope }) => {
      const job = requireJob(server, id, scope);
      const computerIds = body.computers?.map((word) => server.registry.require(word).id) ?? null;
      scope.requireComputers(computerIds ?? computersOf(server, id));
      await jobs.defer(id, computerIds, body.untilAt);
      return toJob(server, job, scope);
    },
    cancelJob: async ({ id, principal, scope }) => {
      const job = requireJob(server, id, scope);
      scope.requireComputers(computersOf(server, id));
      await jobs.cancel(id, principal.name);
      return toJob(server, job, scope);
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
    showRun: async ({ id, scope }) => {
      const run = jobs.findRun(id);
      const job = run === null ? null : jobs.findJob(run.jobId);
      if (run === null || job === null) {
        throw new ApiError(
          404,
          "not-found",
          `there is no run ${id}; portolan job history COMPUTER shows them`,
        );
      }
      scope.requireComputers([run.computerId]);
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
    replayComputer: async ({ id, body, principal, scope }) => {
      const [computerId] = requireApproved(server, { computers: [id], groups: [] }, scope);
      const from = server.registry.require(body.from);
      scope.requireComputers([from.id]);
      if (computerId === undefined || computerId === from.id) {
        throw new ApiError(400, "bad-request", "name another computer to replay the history of");
      }
      const known = new Map(jobs.listJobs().map((job) => [job.id, job]));
      const replayed = jobsToReplay(jobs.runsOfComputer(from.id), known).map((jobId) =>
        requireJob(server, jobId, scope),
      );
      if (replayed.length === 0) {
        throw new ApiError(409, "nothing-to-replay", `${from.name} has no job that was done`);
      }
      for (const job of replayed) {
        requireDonors(job, scope);
        requireConfirmation(principal, job, [computerId]);
      }
      for (const job of replayed) {
        await jobs.assign(job.id, [computerId]);
      }
      return replayed.map((job) => toJob(server, job, scope));
    },
  } satisfies Partial<ApiHandlers>;
}
