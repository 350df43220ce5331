import type { SettingKey } from "#plan/settings.ts";
import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import { toInitialDeployment } from "../initial-deployment.ts";
import type { PortolanServer } from "../server.ts";

/** By id, or by a name that only one job has. */
function requireJobId({ jobs }: PortolanServer, word: string): string {
  const found = jobs.listJobs().filter(({ id, name }) => id === word || name === word);
  const [job, other] = found;
  if (job === undefined) {
    throw new ApiError(404, "not-found", `there is no job ${word}; portolan job list shows them`);
  }
  if (other !== undefined) {
    const ids = found.map(({ id }) => id).join(", ");
    throw new ApiError(409, "ambiguous", `${word} means more than one job: ${ids}; name one by its id`);
  }
  return job.id;
}

export function initialDeploymentHandlers(server: PortolanServer) {
  const { settings, sync, initial, registry } = server;
  return {
    showInitialDeployment: async ({ scope }) => {
      const { computers, ...shown } = toInitialDeployment(server);
      return { ...shown, computers: computers.filter(({ computerId }) => scope.hasComputer(computerId)) };
    },
    setInitialDeployment: async ({ body }) => {
      const { action, jobs, default: wanted, menuMs, mayErase } = body;
      const ids = jobs?.map((word) => requireJobId(server, word));
      const isFixed = wanted === "local" || wanted === "wait";
      // The action last: until it counts, nothing of the rest does.
      const changes: readonly (readonly [SettingKey, string | undefined])[] = [
        ["initialDeployment.jobs", ids === undefined ? undefined : ids.join(",") || "none"],
        [
          "initialDeployment.default",
          wanted === undefined || isFixed ? wanted : requireJobId(server, wanted),
        ],
        ["initialDeployment.menuMs", menuMs?.toString()],
        ["initialDeployment.mayErase", mayErase === undefined ? undefined : mayErase ? "on" : "off"],
        ["initialDeployment.action", action],
      ];
      for (const [key, value] of changes) {
        if (value !== undefined) {
          await settings.set(key, value);
        }
      }
      await sync.follow();
      initial.reconsider();
      return toInitialDeployment(server);
    },
    askInitialDeployment: async ({ id, body: { isAsked } }) => {
      const computer = registry.require(id);
      if (isAsked && computer.state !== "approved") {
        throw new ApiError(409, "not-approved", `${computer.name} is not approved; approve it first`);
      }
      if (isAsked && settings.current()["initialDeployment.action"] === "local") {
        throw new ApiError(
          409,
          "bad-request",
          "new computers boot from their own disk; change that first: portolan initial-deployment set --action menu",
        );
      }
      await registry.update(computer.id, {
        initialAskedAtMs: isAsked ? Math.round(server.clock.epochMs()) : null,
      });
      return {
        computerId: computer.id,
        isAsked,
        text: isAsked
          ? `${computer.name} gets what new computers get at its next boot from the network`
          : `${computer.name} boots as it did before`,
      };
    },
  } satisfies Partial<ApiHandlers>;
}
