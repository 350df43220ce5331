import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type Server } from "node:https";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { z } from "zod";
import { type RouteName, type RouteResponse, routes } from "#api/contract.ts";
import type { Route } from "#api/route.ts";
import { SettingError } from "#plan/setting-rules.ts";
import { ApiError } from "./api-error.ts";

/** What a route handler gets: the `:id` of its path, decoded, and the checked body. */
type HandlerInput<Name extends RouteName> = {
  readonly id: string;
  readonly body: (typeof routes)[Name] extends { readonly body: infer Body }
    ? Body extends z.ZodType
      ? z.output<Body>
      : undefined
    : undefined;
};

/** One handler for every route of the contract: forgetting one does not compile. */
export type ApiHandlers = {
  readonly [Name in RouteName]: (input: HandlerInput<Name>) => Promise<RouteResponse<Name>>;
};

export type ApiServerOptions = {
  /** Bearer token of the local administrator. */
  readonly adminToken: string;
  readonly version: string;
};

export type ApiServerDependencies = {
  readonly handlers: ApiHandlers;
  readonly log: Logger;
  /** Prometheus text. */
  readonly metrics: () => string;
};

const bodySizeBytesMax = 1 << 20;

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Compares digests, so that neither content nor length of the token shows in the time it takes. */
function isAuthorised(request: FastifyRequest, adminToken: string): boolean {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  return scheme === "Bearer" && token !== undefined && timingSafeEqual(sha256(token), sha256(adminToken));
}

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

function parseBody(route: Route, body: unknown): unknown {
  if (route.body === undefined) {
    return undefined;
  }
  const parsed = route.body.safeParse(body);
  if (!parsed.success) {
    const details = parsed.error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`);
    throw new ApiError(400, "bad-request", details.join("; "));
  }
  return parsed.data;
}

function jsonBody(schema: z.ZodType, io: "input" | "output"): { readonly content: unknown } {
  return {
    content: { "application/json": { schema: z.toJSONSchema(schema, { io, unrepresentable: "any" }) } },
  };
}

/** OpenAPI 3.1, made from the contract at each request for it. */
export function describeApi(version: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries(routes) as [string, Route][]) {
    const path = `/api/v1${route.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    const parameters = [...route.path.matchAll(/:(\w+)/g)].map(([, parameter]) => ({
      name: parameter,
      in: "path",
      required: true,
      schema: { type: "string" },
    }));
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: {
        operationId: name,
        summary: route.summary,
        parameters,
        ...(route.body === undefined
          ? {}
          : { requestBody: { required: true, ...jsonBody(route.body, "input") } }),
        responses: { "200": { description: route.summary, ...jsonBody(route.response, "output") } },
      },
    };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Portolan", version },
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    security: [{ token: [] }],
    paths,
  };
}

/** The API as a request listener; `createApiListener` gives it sockets. */
export async function createApi(
  options: ApiServerOptions,
  dependencies: ApiServerDependencies,
): Promise<FastifyInstance> {
  const { handlers, log, metrics } = dependencies;
  const app = fastify({ bodyLimit: bodySizeBytesMax, logger: false, requestTimeout: 30_000 });
  app.setErrorHandler((error, _request, reply) => answerError(error, reply, log));
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, 404, "not-found", `there is no ${request.method} ${request.url.slice(0, 200)}`),
  );
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-content-type-options", "nosniff").header("cache-control", "no-store");
    if (!isAuthorised(request, options.adminToken)) {
      await sendError(reply, 401, "not-authorised", "send the administrator's token as a Bearer token");
    }
  });
  app.get("/api/v1/openapi.json", () => describeApi(options.version));
  app.get("/metrics", (_request, reply) => reply.type("text/plain; version=0.0.4").send(metrics()));
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    app.route({
      method: route.method,
      url: `/api/v1${route.path}`,
      handler: async (request) => {
        const { id = "" } = request.params as { id?: string };
        // The contract types each pair of input and output; a loop over all of them cannot.
        const handler = handlers[name] as (input: { id: string; body: unknown }) => Promise<unknown>;
        return handler({ id, body: parseBody(route, request.body) });
      },
    });
  }
  await app.ready();
  return app;
}

/** An HTTPS server for one address. The same API may have several. */
export function createApiListener(app: FastifyInstance, tls: { key: string; cert: string }): Server {
  return createServer(
    { ...tls, minVersion: "TLSv1.3", requestTimeout: 30_000, headersTimeout: 10_000 },
    (request, response) => app.routing(request, response),
  );
}
