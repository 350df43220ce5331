import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { type RouteName, routes } from "#api/contract.ts";
import { pageSchema } from "#api/page.ts";
import { accessOf, type Route } from "#api/route.ts";
import { describeBody } from "./accounts/audit-log.ts";
import type { Principal } from "./accounts/principal.ts";
import type { Scope } from "./accounts/scope.ts";
import { ApiError } from "./api-error.ts";
import type { ApiServerDependencies } from "./api-server.ts";
import { cutPage, formatNextLink } from "./page-list.ts";
import { repeatHeader } from "./repeated-requests.ts";

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

/** What every handler is called with, before the contract gives it its types. */
type Call = {
  readonly id: string;
  readonly body: unknown;
  readonly query: unknown;
  readonly principal: Principal;
  readonly scope: Scope;
  readonly address: string;
  readonly setCookie: (cookie: string) => void;
  readonly setActor: (name: string) => void;
};

/** One route of the contract: checked input, one answer, a line in the audit log for what changes something. */
export function addRoute(app: FastifyInstance, name: RouteName, dependencies: ApiServerDependencies): void {
  const route: Route = routes[name];
  // The contract types each pair of input and output; a loop over all of them cannot.
  const handler = dependencies.handlers[name] as (call: Call) => Promise<unknown>;
  app.route({
    method: route.method,
    url: `/api/v1${route.path}`,
    config: { access: accessOf(route), action: name, scope: route.scope },
    handler: async (request, reply) => {
      const { id = "" } = request.params as { id?: string };
      let actor: string | null = null;
      const call: Call = {
        id,
        body: parseBy(route.body, request.body, "body"),
        query: parseBy(route.query, request.query, "query"),
        principal: request.principal,
        scope: dependencies.scopes.of(request.principal),
        address: request.ip,
        setCookie: (cookie) => void reply.header("set-cookie", cookie),
        setActor: (name) => {
          actor = name;
        },
      };
      const work = async (): Promise<unknown> => {
        // Once more: what a word means may have changed while the body came.
        dependencies.scopes.requireOpen(call.scope, route.scope, id);
        return handler(call);
      };
      const given = { name, route, request, reply, dependencies, actor: () => actor };
      return route.method === "GET"
        ? sendPage(route, request, reply, await read(given, work))
        : change(given, work);
    },
  });
}

/** The list whole, or the page of it that was asked for, with the address of the next in `link`. */
function sendPage(route: Route, request: FastifyRequest, reply: FastifyReply, answer: unknown): unknown {
  if (route.pagedBy === undefined || !Array.isArray(answer)) {
    return answer;
  }
  const { limit, after } = pageSchema.loose().parse(request.query);
  if (limit === undefined && after === undefined) {
    return answer;
  }
  const page = cutPage(answer, route.pagedBy, { limit: limit ?? 1000, after });
  reply.header("x-total-count", page.totalCount);
  if (page.next !== null) {
    reply.header("link", formatNextLink(request.url, page.next));
  }
  return page.items;
}

type Change = {
  readonly name: RouteName;
  readonly route: Route;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly dependencies: ApiServerDependencies;
  /** Who a login turned out to be. */
  readonly actor: () => string | null;
};

/** What a reader may not see is written down as well. */
async function read(
  { name, route, request, dependencies }: Change,
  work: () => Promise<unknown>,
): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) {
      const { principal, ip: address } = request;
      const target = targetOf(route, request, dependencies);
      await dependencies.audit.recordRefusal({
        principal,
        action: name,
        target,
        detail: error.message,
        address,
      });
    }
    throw error;
  }
}

function targetOf(route: Route, request: FastifyRequest, { scopes }: ApiServerDependencies): string | null {
  return scopes.targetOf(route.scope, (request.params as { id?: string }).id ?? "");
}

/** Does it, once for each key, and writes down who did what before the answer leaves. */
async function change(
  { name, route, request, reply, dependencies, actor }: Change,
  work: () => Promise<unknown>,
): Promise<unknown> {
  const { audit, changes, repeated } = dependencies;
  const { principal, ip: address } = request;
  const { id = "" } = request.params as { id?: string };
  // Before the work, which may remove it.
  const target = targetOf(route, request, dependencies);
  const describe = () => ({
    principal: principal.type === "nobody" ? nameStranger(principal, actor(), request.body) : principal,
    action: name,
    target,
    address,
  });
  const detail = describeBody(request.body);
  const doAndAudit = async (): Promise<unknown> => {
    const answer = await work();
    await audit.record({ ...describe(), outcome: "done", detail });
    changes.area(route.path.split("/")[1] ?? "");
    return answer;
  };
  try {
    const key = request.headers[repeatHeader];
    if (typeof key !== "string") {
      return await doAndAudit();
    }
    if (route.isToldOnce === true) {
      throw new ApiError(
        400,
        "not-repeatable",
        "this answer holds a secret and is not kept; send it without an Idempotency-Key",
      );
    }
    // With its limits: an answer from when it saw more is not for it any more.
    const caller = [principal.type, principal.userId, principal.name, ...principal.limits.map(String)].join(
      " ",
    );
    const wanted = { key, caller, request: [name, id, request.query, request.body ?? null] };
    const { answer, isRepeated } = await repeated.once(wanted, doAndAudit);
    if (isRepeated) {
      reply.header("idempotency-replayed", "true");
    }
    return answer;
  } catch (error) {
    const isRefusal = error instanceof ApiError && [401, 403, 429].includes(error.status);
    const reason = `${error instanceof Error ? error.message : String(error)} ${detail ?? ""}`.trim();
    await (isRefusal
      ? audit.recordRefusal({ ...describe(), detail: reason })
      : audit.record({ ...describe(), outcome: "failed", detail: reason }));
    throw error;
  }
}

/** On a route that needs no account, such as a login: who somebody turned out to be, or says to be. */
function nameStranger(principal: Principal, actor: string | null, body: unknown): Principal {
  const name = actor ?? (typeof body === "object" && body !== null && "name" in body ? body.name : null);
  return typeof name === "string" ? { ...principal, name: name.slice(0, 64) } : principal;
}
