import { createServer, type Server } from "node:https";
import { callbackify } from "node:util";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import type { Logger } from "pino";
import type { z } from "zod";
import { type RouteName, type RouteResponse, routes } from "#api/contract.ts";
import type { Accounts } from "./accounts/accounts.ts";
import type { AuditLog } from "./accounts/audit-log.ts";
import type { Principal } from "./accounts/principal.ts";
import type { Scope, Scopes } from "./accounts/scope.ts";
import { guardRequests } from "./accounts/request-guard.ts";
import { addRoute } from "./api-route.ts";
import { describeApi } from "./api-description.ts";
import { ApiError } from "./api-error.ts";
import { createProblem, describeProblem, formatRawProblem, problemType } from "./problem.ts";
import type { AgentDownloads } from "./agent-downloads.ts";
import { serveConsole } from "./console-files.ts";
import type { ConsoleTls } from "./console-tls.ts";
import type { SiteChanges } from "./live/site-changes.ts";
import type { RepeatedRequests } from "./repeated-requests.ts";
import type { UpgradeGate } from "./live/upgrade-gate.ts";

type SchemaOutput<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** What a route handler gets: the `:id` of its path, decoded, the checked body and query, and who asks. */
export type HandlerInput<Name extends RouteName> = {
  readonly id: string;
  readonly body: (typeof routes)[Name] extends { readonly body: infer Body } ? SchemaOutput<Body> : undefined;
  readonly query: (typeof routes)[Name] extends { readonly query: infer Query }
    ? SchemaOutput<Query>
    : undefined;
  readonly principal: Principal;
  /** Outside of which the handler shows and does nothing. */
  readonly scope: Scope;
  /** Where the request came from. */
  readonly address: string;
  /** For those who open and end sessions of the console. */
  readonly setCookie: (cookie: string) => void;
  /** For logins that find out who it is: the audit log names that account. */
  readonly setActor: (name: string) => void;
};

/** One handler for every route of the contract: forgetting one does not compile. */
export type ApiHandlers = {
  readonly [Name in RouteName]: (input: HandlerInput<Name>) => Promise<RouteResponse<Name>>;
};

export type ApiServerOptions = {
  readonly version: string;
  /** Folder of the built console. */
  readonly consoleDir: string;
  /** What computers without an agent may fetch. */
  readonly agentDownloads: AgentDownloads;
};

export type ApiServerDependencies = {
  readonly handlers: ApiHandlers;
  readonly accounts: Accounts;
  readonly audit: AuditLog;
  readonly scopes: Scopes;
  readonly changes: SiteChanges;
  readonly repeated: RepeatedRequests;
  readonly log: Logger;
  readonly epochMs: () => number;
  /** Prometheus text. */
  readonly metrics: () => string;
};

const bodySizeBytesMax = 1 << 20;

function sendProblem(reply: FastifyReply, error: unknown, log: Logger): FastifyReply {
  const { problem, headers, isFault } = describeProblem(error);
  if (isFault) {
    log.error({ err: error }, "the API failed");
  }
  return reply
    .status(problem.status)
    .headers(headers)
    .header("content-type", problemType)
    .serializer(JSON.stringify)
    .send(problem);
}

/** The API as a request listener; `createApiListener` gives it sockets. */
export async function createApi(
  options: ApiServerOptions,
  dependencies: ApiServerDependencies,
): Promise<FastifyInstance> {
  const { accounts, audit, scopes, log, metrics, epochMs } = dependencies;
  const app = fastify({
    bodyLimit: bodySizeBytesMax,
    logger: false,
    requestTimeout: 30_000,
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, error, log),
  });
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, error, log));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new ApiError(404, "not-found", `there is no ${request.method} ${request.url.slice(0, 200)}`),
      log,
    ),
  );
  guardRequests(app, { accounts, audit, scopes, epochMs });
  const forViewers = { access: "viewer", action: "describe" } as const;
  const described = { config: { ...forViewers, scope: { shared: "the contract, which is the program's" } } };
  app.get("/api/v1/openapi.json", described, () => describeApi(options.version));
  app.get("/metrics", { config: { ...forViewers, scope: "site" } }, (_request, reply) =>
    reply.type("text/plain; version=0.0.4").send(metrics()),
  );
  for (const name of Object.keys(routes) as RouteName[]) {
    addRoute(app, name, dependencies);
  }
  serveConsole(app, options.consoleDir);
  options.agentDownloads.addTo(app);
  await app.ready();
  return app;
}

/** An HTTPS server for one address. The same API may have several. */
export function createApiListener(app: FastifyInstance, tls: ConsoleTls, gate: UpgradeGate): Server {
  const server = createServer(
    {
      ...{ key: tls.key, cert: tls.cert, minVersion: "TLSv1.3" },
      ...{ requestTimeout: 30_000, headersTimeout: 10_000 },
      // Clients that name nobody, and those that use an address, get the first certificate.
      SNICallback: (name, done) => {
        callbackify(tls.ofName)(name, done);
      },
    },
    (request, response) => app.routing(request, response),
  );
  // What is no HTTP at all ends here; the first bytes decide, so nothing of it is repeated.
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (socket.writable && error.code !== "ECONNRESET") {
      const isTooLarge = error.code === "HPE_HEADER_OVERFLOW";
      const why = isTooLarge ? "the headers are too large" : "this is no HTTP request";
      socket.end(formatRawProblem(createProblem(isTooLarge ? 431 : 400, "bad-request", why)));
      return;
    }
    socket.destroy();
  });
  gate.attach(server);
  return server;
}
