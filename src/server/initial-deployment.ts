import type { InitialDeploymentResource } from "#api/initial-deployment-api.ts";
import {
  composeMenu,
  type InitialSettings,
  listInitialProblems,
  type OfferedJob,
} from "#engine/job/initial-deployment.ts";
import { allTasksOf } from "#engine/job/job.ts";
import { hasEnded, type Run } from "#engine/job/run.ts";
import { isDestructive } from "#engine/job/task-traits.ts";
import { nobody } from "./accounts/principal.ts";
import type { PortolanServer } from "./server.ts";
import { InitialDeploymentService } from "./services/initial-deployment-service.ts";
import { gateJob, type GateSources } from "./verify/gate-job.ts";

type Site = GateSources & Pick<PortolanServer, "log" | "settings" | "jobs" | "management">;

/** The jobs that the settings name, those that are there. */
function listOfferedJobs({ settings, jobs }: Pick<PortolanServer, "settings" | "jobs">): OfferedJob[] {
  const current: InitialSettings = settings.current();
  const named = new Set([...current["initialDeployment.jobs"], current["initialDeployment.default"]]);
  return [...named].flatMap((id) => {
    const job = jobs.findJob(id);
    return job === null ? [] : [{ id, name: job.name, isDestructive: allTasksOf(job).some(isDestructive) }];
  });
}

/** What computers get that are new, wired to jobs, agents and the record of computers. */
export function createInitialDeployment(site: () => Site): InitialDeploymentService {
  const runsOf = (computerId: string): readonly Run[] => site().jobs.runsOfComputer(computerId);
  return new InitialDeploymentService({
    log: () => site().log,
    settings: () => site().settings.current(),
    offeredJobs: () => listOfferedJobs(site()),
    newcomer: (computerId) => {
      const computer = site().registry.get(computerId);
      return {
        hasHistory: runsOf(computerId).length > 0 || (computer?.deployedAtMs ?? null) !== null,
        isAsked: (computer?.initialAskedAtMs ?? null) !== null,
      };
    },
    isBusy: (computerId) => runsOf(computerId).some((run) => !hasEnded(run)),
    hasPrebootWork: (computerId) => site().jobs.hasPrebootWork(computerId),
    forgetAsked: async (computerId) => {
      const { registry } = site();
      if ((registry.get(computerId)?.initialAskedAtMs ?? null) !== null) {
        await registry.update(computerId, { initialAskedAtMs: null });
      }
    },
    assign: async (jobId, computerId) => {
      const job = site().jobs.findJob(jobId);
      if (job === null) {
        throw new Error(`job ${jobId} is not there any more`);
      }
      const principal = { ...nobody, name: "Initial Deployment" };
      const gateOf = await gateJob(site(), job, [computerId], { principal, isForced: false });
      await site().jobs.assign(jobId, [computerId], gateOf);
    },
    links: () => site().control.links(),
    note: (computerId, text) => site().management.history.note(computerId, "initial-deployment", text),
  });
}

/** The settings with the names of jobs, what is wrong with them, and who is at it. */
export function toInitialDeployment(
  server: Pick<PortolanServer, "settings" | "jobs" | "initial" | "registry">,
): InitialDeploymentResource {
  const settings: InitialSettings = server.settings.current();
  const jobs = listOfferedJobs(server);
  const wanted = settings["initialDeployment.default"];
  return {
    action: settings["initialDeployment.action"],
    entries: composeMenu(settings, jobs).entries.map((entry) => ({
      ...entry,
      isDefault: entry.choice === wanted,
    })),
    default: wanted,
    defaultName: jobs.find(({ id }) => id === wanted)?.name ?? null,
    menuMs: settings["initialDeployment.menuMs"],
    mayErase: settings["initialDeployment.mayErase"],
    problems: listInitialProblems(settings, jobs),
    computers: server.initial.list().map(({ computerId, menu, text }) => ({
      ...{ computerId, text },
      name: server.registry.get(computerId)?.name ?? computerId,
      state: menu === null ? "waiting" : "menu",
    })),
  };
}
