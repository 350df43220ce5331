import type { InitialSettings } from "#engine/job/initial-deployment.ts";
import { allTasksOf, type Job } from "#engine/job/job.ts";
import { hasEnded } from "#engine/job/run.ts";
import type { StoredImage } from "#store/image-store.ts";
import { ApiError } from "./api-error.ts";
import type { PortolanServer } from "./server.ts";

type Sources = {
  readonly jobs: Pick<PortolanServer["jobs"], "listJobs" | "runsOf" | "assignmentOf">;
  readonly settings: { readonly current: () => InitialSettings };
};

/**
 * An image must stay that a job writes now, at a time to come, or to computers that are new. Of installers and packages a
 * job carries the content itself, so they may go.
 *
 * @throws ApiError 409 with the way out
 */
export function requireUnused(sources: Sources, image: Pick<StoredImage, "id" | "name">): void {
  const use = findUse(sources, image);
  if (use !== null) {
    throw new ApiError(409, "in-use", use);
  }
}

function findUse({ jobs, settings }: Sources, { id, name }: Pick<StoredImage, "id" | "name">): string | null {
  const initial = initialJobsOf(settings.current());
  for (const job of jobs.listJobs().filter((one) => deploys(one, id))) {
    const title = `job ${job.id} (${job.name})`;
    if (jobs.runsOf(job.id).some((run) => !hasEnded(run))) {
      return `${title} still deploys ${name}; wait for it, or cancel it with portolan job cancel ${job.id}`;
    }
    const { nextAtMs } = jobs.assignmentOf(job.id);
    if (nextAtMs !== null) {
      const at = new Date(nextAtMs).toISOString();
      return `${title} is to deploy ${name} at ${at}; cancel it first with portolan job cancel ${job.id}`;
    }
    if (initial.includes(job.id)) {
      return `${title} deploys ${name} to new computers; give them another job first with portolan initial-deployment set`;
    }
  }
  return null;
}

function deploys(job: Job, imageId: string): boolean {
  return allTasksOf(job).some((task) => task.kind === "deploy-image" && task.imageId === imageId);
}

/** Ids of the jobs that new computers can come to, as things are set now. */
function initialJobsOf(settings: InitialSettings): readonly string[] {
  switch (settings["initialDeployment.action"]) {
    case "menu":
      return settings["initialDeployment.jobs"];
    case "job":
      return [settings["initialDeployment.default"]];
    case "wait":
    case "local":
      return [];
  }
}
