import type { z } from "zod";
import { accountRoutes } from "./account-api.ts";
import { agentRoutes, enrolmentRoutes } from "./agent-api.ts";
import { bootRoutes } from "./boot-api.ts";
import { computerRoutes } from "./computer-api.ts";
import { groupRoutes } from "./group-api.ts";
import { imageRoutes } from "./image-api.ts";
import { initialDeploymentRoutes } from "./initial-deployment-api.ts";
import { installerRoutes } from "./installer-api.ts";
import { jobRoutes } from "./job-api.ts";
import { packageRoutes } from "./package-api.ts";
import { loginRoutes } from "./login-api.ts";
import { planRoutes } from "./plan-api.ts";
import { planLintRoutes } from "./plan-lint-api.ts";
import { planBundleRoutes } from "./plan-bundle-api.ts";
import { planExportRoutes } from "./plan-export-api.ts";
import { secondFactorRoutes } from "./second-factor-api.ts";
import { segmentRoutes } from "./segment-api.ts";
import { remoteRoutes } from "./remote-api.ts";
import { serverRoutes } from "./server-api.ts";
import { sessionRoutes } from "./session-api.ts";
import { settingsRoutes } from "./settings-api.ts";
import { verifyRoutes } from "./verify-api.ts";
import type { Routes } from "./route.ts";

/** Every route, by area. The CLI and the console can do nothing that is not here. */
export const routes = {
  ...serverRoutes,
  ...accountRoutes,
  ...loginRoutes,
  ...secondFactorRoutes,
  ...planRoutes,
  ...verifyRoutes,
  ...planExportRoutes,
  ...planBundleRoutes,
  ...planLintRoutes,
  ...settingsRoutes,
  ...segmentRoutes,
  ...computerRoutes,
  ...groupRoutes,
  ...agentRoutes,
  ...enrolmentRoutes,
  ...remoteRoutes,
  ...bootRoutes,
  ...imageRoutes,
  ...jobRoutes,
  ...initialDeploymentRoutes,
  ...packageRoutes,
  ...installerRoutes,
  ...sessionRoutes,
} as const satisfies Routes;

export type RouteName = keyof typeof routes;
export type RouteResponse<Name extends RouteName> = z.output<(typeof routes)[Name]["response"]>;
export type RouteBody<Name extends RouteName> = (typeof routes)[Name] extends { readonly body: infer Body }
  ? Body extends z.ZodType
    ? z.input<Body>
    : never
  : undefined;
export type RouteQuery<Name extends RouteName> = (typeof routes)[Name] extends { readonly query: infer Query }
  ? Query extends z.ZodType
    ? z.input<Query>
    : never
  : undefined;
