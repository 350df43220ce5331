import { z } from "zod";
import * as requests from "./requests.ts";
import * as resources from "./resources.ts";

/** One route of the HTTP API: server and clients are both typed from it. */
export type Route = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v1`; `:id` marks a parameter. */
  readonly path: string;
  readonly summary: string;
  readonly body?: z.ZodType;
  readonly response: z.ZodType;
};

const computers = z.array(resources.computerSchema);
const nothing = z.object({ ok: z.literal(true) });

/** Every route. The CLI and the console can do nothing that is not here. */
export const routes = {
  showServer: { method: "GET", path: "/server", summary: "This server", response: resources.serverSchema },
  showPlan: {
    method: "GET",
    path: "/plan",
    summary: "All flows and sockets",
    response: resources.planSchema,
  },
  listSettings: {
    method: "GET",
    path: "/settings",
    summary: "Every setting",
    response: z.array(resources.settingSchema),
  },
  setSetting: {
    method: "PUT",
    path: "/settings/:id",
    summary: "Change one setting",
    body: requests.setSettingSchema,
    response: z.object({ setting: resources.settingSchema, effect: z.string() }),
  },
  setProfile: {
    method: "PUT",
    path: "/profile",
    summary: "Take a whole profile of settings",
    body: requests.setProfileSchema,
    response: z.object({ profile: z.string(), effect: z.string() }),
  },
  listComputers: { method: "GET", path: "/computers", summary: "All computers", response: computers },
  showComputer: {
    method: "GET",
    path: "/computers/:id",
    summary: "One computer",
    response: resources.computerSchema,
  },
  approveComputer: {
    method: "POST",
    path: "/computers/:id/approve",
    summary: "Let a pending computer in",
    response: resources.computerSchema,
  },
  wakeComputer: {
    method: "POST",
    path: "/computers/:id/wake",
    summary: "Send it a magic packet",
    response: z.object({ sent: z.number(), interfaces: z.array(z.string()) }),
  },
  forgetComputer: {
    method: "DELETE",
    path: "/computers/:id",
    summary: "Remove its record and its right to connect",
    response: nothing,
  },
  listComputerEvents: {
    method: "GET",
    path: "/computers/:id/events",
    summary: "Its boot events, newest first",
    response: z.array(resources.bootEventSchema),
  },
  listBootEvents: {
    method: "GET",
    path: "/boot/events",
    summary: "Boot events of all computers, newest first",
    response: z.array(resources.bootEventSchema),
  },
  listBootFiles: {
    method: "GET",
    path: "/boot/files",
    summary: "What network boot serves",
    response: z.array(resources.bootFileSchema),
  },
  listImages: {
    method: "GET",
    path: "/images",
    summary: "All images",
    response: z.array(resources.imageSchema),
  },
  showImage: { method: "GET", path: "/images/:id", summary: "One image", response: resources.imageSchema },
  importImage: {
    method: "POST",
    path: "/images/import",
    summary: "Import a raw disk that lies on the server",
    body: requests.importImageSchema,
    response: resources.operationSchema,
  },
  verifyImage: {
    method: "POST",
    path: "/images/:id/verify",
    summary: "Read every chunk and check its hash",
    response: resources.operationSchema,
  },
  showOperation: {
    method: "GET",
    path: "/operations/:id",
    summary: "Progress of long work",
    response: resources.operationSchema,
  },
  createJob: {
    method: "POST",
    path: "/jobs",
    summary: "Create a job and assign it",
    body: requests.createJobSchema,
    response: resources.jobSchema,
  },
  listJobs: { method: "GET", path: "/jobs", summary: "All jobs", response: z.array(resources.jobSchema) },
  showJob: { method: "GET", path: "/jobs/:id", summary: "One job", response: resources.jobSchema },
  assignJob: {
    method: "POST",
    path: "/jobs/:id/assign",
    summary: "Assign a job to more computers",
    body: requests.assignJobSchema,
    response: resources.jobSchema,
  },
  cancelJob: {
    method: "POST",
    path: "/jobs/:id/cancel",
    summary: "Stop a job",
    response: resources.jobSchema,
  },
  listSessions: {
    method: "GET",
    path: "/sessions",
    summary: "Imaging sessions, running ones first",
    response: z.array(resources.sessionSchema),
  },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;
export type RouteResponse<Name extends RouteName> = z.output<(typeof routes)[Name]["response"]>;
export type RouteBody<Name extends RouteName> = (typeof routes)[Name] extends { readonly body: infer Body }
  ? Body extends z.ZodType
    ? z.input<Body>
    : never
  : undefined;
