import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { classicSettings } from "#plan/settings.ts";
import { InitialDeploymentService } from "./initial-deployment-service.ts";

test("Initial Deployment: work in preboot takes its place, work in the installed system does not", () => {
  const forgotten: string[] = [];
  const service = new InitialDeploymentService({
    log: () => pino({ enabled: false }),
    settings: () => classicSettings,
    offeredJobs: () => [],
    newcomer: () => ({ hasHistory: true, isAsked: true }),
    isBusy: () => true,
    hasPrebootWork: (computerId) => computerId === "c-imaged",
    forgetAsked: (computerId) => {
      forgotten.push(computerId);
      return Promise.resolve();
    },
    assign: () => Promise.reject(new Error("nothing is assigned here")),
    links: () => [],
    note: () => undefined,
  });
  service.changed("c-imaged");
  service.changed("c-updated");
  assert.deepEqual(forgotten, ["c-imaged"]);
});
