import { createServer, type Server } from "node:https";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import type { Logger } from "pino";
import type { z } from "zod";
import { type RouteName, type RouteResponse, routes } from "#api/contract.ts";
import { accessOf, type Route } from "#api/route.ts";
import { SettingError } from "#plan/setting-rules.ts";
import type { Accounts } from "./accounts/accounts.ts";
import { type AuditLog, describeBody } from "./accounts/audit-log.ts";
import type { Principal } from "./accounts/principal.ts";
import { guardRequests } from "./accounts/request-guard.ts";
import { describeApi } from "./api-description.ts";
import { ApiError } from "./api-error.ts";
import { serveConsole } from "./console-files.ts";
import type { SiteChanges } from "./live/site-changes.ts";
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
  /** Where the request came from. */
  readonly address: string;
  /** For those who open and end sessions of the console. */
  readonly setCookie: (cookie: string) => void;
};

/** One handler for every route of the contract: forgetting one does not compile. */
export type ApiHandlers = {
  readonly [Name in RouteName]: (input: HandlerInput<Name>) => Promise<RouteResponse<Name>>;
};

export type ApiServerOptions = {
  readonly version: string;
  /** Folder of the built console. */
  readonly consoleDir: string;
};

export type ApiServerDependencies = {
  readonly handlers: ApiHandlers;
  readonly accounts: Accounts;
  readonly audit: AuditLog;
  readonly changes: SiteChanges;
  readonly log: Logger;
  /** Prometheus text. */
  readonly metrics: () => string;
};

const bodySizeBytesMax = 1 << 20;

function sendError(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.status(status).send({ error: { code, message } });
}

function answerError(error: unknown, reply: FastifyReply, log: Logger): FastifyReply {
  if (error instanceof ApiError) {
    return sendError(reply, error.status, error.code, error.message);
  }
  if (error instanceof SettingError) {
    return sendError(reply, 400, error.code, error.message);
  }
  if (error instanceof Error && "code" in error && error.code === "not-found") {
    return sendError(reply, 404, "not-found", error.message);
  }
  if (error instanceof Error && "statusCode" in error && Number(error.statusCode) < 500) {
    return sendError(reply, Number(error.statusCode), "bad-request", error.message);
  }
  log.error({ err: error }, "the API failed");
  const message = error instanceof Error ? error.message : String(error);
  return sendError(reply, 503, "failed", `the server could not do this: ${message}`);
}

function parseBy(schema: z.ZodType | undefined, value: unknown, what: string): unknown {
  if (schema === undefined) {
    return undefined;
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const details = parsed.error.issues.map((issue) => `${issue.path.join(".") || what}: ${issue.message}`);
    throw new ApiError(400, "bad-request", details.join("; "));
  }
  return parsed.data;
}

/** The API as a request listener; `createApiListener` gives it sockets. */
export async function createApi(
  options: ApiServerOptions,
  dependencies: ApiServerDependencies,
): Promise<FastifyInstance> {
  const { accounts, audit, log, metrics } = dependencies;
  const app = fastify({ bodyLimit: bodySizeBytesMax, logger: false, requestTimeout: 30_000 });
  app.setErrorHandler((error, _request, reply) => answerError(error, reply, log));
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, 404, "not-found", `there is no ${request.method} ${request.url.slice(0, 200)}`),
  );
  guardRequests(app, { accounts, audit });
  const forViewers = { config: { access: "viewer", action: "describe" } } as const;
  app.get("/api/v1/openapi.json", forViewers, () => describeApi(options.version));
  app.get("/metrics", forViewers, (_request, reply) =>
    reply.type("text/plain; version=0.0.4").send(metrics()),
  );
  for (const name of Object.keys(routes) as RouteName[]) {
    addRoute(app, name, dependencies);
  }
  serveConsole(app, options.consoleDir);
  await app.ready();
  return app;
}

function addRoute(app: FastifyInstance, name: RouteName, dependencies: ApiServerDependencies): void {
  const { handlers, audit, changes } = dependencies;
  const route: Route = routes[name];
  // The contract types each pair of input and output; a loop over all of them cannot.
  const handler = handlers[name] as (input: unknown) => Promise<unknown>;
  const area = route.path.split("/")[1] ?? "";
  app.route({
    method: route.method,
    url: `/api/v1${route.path}`,
    config: { access: accessOf(route), action: name },
    handler: async (request, reply) => {
      const { id = "" } = request.params as { id?: string };
      const { principal, ip: address } = request;
      const input = {
        id,
        body: parseBy(route.body, request.body, "body"),
        query: parseBy(route.query, request.query, "query"),
        principal,
        address,
        setCookie: (cookie: string) => reply.header("set-cookie", cookie),
      };
      if (route.method === "GET") {
        return handler(input);
      }
      const entry = {
        principal: principal.type === "nobody" ? namedInBody(principal, request.body) : principal,
        action: name,
        target: id === "" ? null : id,
        address,
      };
      const detail = describeBody(request.body);
      try {
        const answer = await handler(input);
        await audit.record({ ...entry, outcome: "done", detail });
        changes.area(area);
        return answer;
      } catch (error) {
        const isRefusal = error instanceof ApiError && [401, 403, 429].includes(error.status);
        const reason = `${error instanceof Error ? error.message : String(error)} ${detail ?? ""}`.trim();
        await (isRefusal
          ? audit.recordRefusal({ ...entry, detail: reason })
          : audit.record({ ...entry, outcome: "failed", detail: reason }));
        throw error;
      }
    },
  });
}

/** Who somebody says to be on a route that needs no account, such as a login. */
function namedInBody(principal: Principal, body: unknown): Principal {
  const name = typeof body === "object" && body !== null && "name" in body ? body.name : null;
  return typeof name === "string" ? { ...principal, name: name.slice(0, 64) } : principal;
}

/** An HTTPS server for one address. The same API may have several. */
export function createApiListener(
  app: FastifyInstance,
  tls: { readonly key: string; readonly cert: string },
  gate: UpgradeGate,
): Server {
  const server = createServer(
    { ...tls, minVersion: "TLSv1.3", requestTimeout: 30_000, headersTimeout: 10_000 },
    (request, response) => app.routing(request, response),
  );
  gate.attach(server);
  return server;
}
