import type { InitialDeploymentResource } from "#api/initial-deployment-api.ts";
import type { JobResource } from "#api/job-api.ts";
import type { InitialSettings, OfferedJob } from "#engine/job/initial-deployment.ts";
import { erasesDisks } from "../work/work-order.ts";

/** Initial Deployment as it is being edited. */
export type DeploymentDraft = Pick<
  InitialDeploymentResource,
  "action" | "default" | "menuMs" | "mayErase"
> & { readonly jobs: readonly string[] };

const fixedChoices: readonly string[] = ["local", "wait"];

export function isJobChoice(choice: string): boolean {
  return !fixedChoices.includes(choice);
}

/** The settings name jobs that may be gone; the server's entries are those that are there. */
export function toDraft(resource: InitialDeploymentResource): DeploymentDraft {
  const { action, entries, default: wanted, menuMs, mayErase } = resource;
  const jobs = entries.map(({ choice }) => choice).filter(isJobChoice);
  return { action, jobs, default: wanted, menuMs, mayErase };
}

/** In the words of the engine, which decides at the server and draws here. */
export function toSettings(draft: DeploymentDraft): InitialSettings {
  return {
    "initialDeployment.action": draft.action,
    "initialDeployment.jobs": draft.jobs,
    "initialDeployment.default": draft.default,
    "initialDeployment.menuMs": draft.menuMs,
    "initialDeployment.mayErase": draft.mayErase,
  };
}

export function toOffered(jobs: readonly JobResource[]): OfferedJob[] {
  return jobs.map((job) => ({ id: job.id, name: job.name, isDestructive: erasesDisks(job) }));
}
