import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Role, RouteScope } from "#api/route.ts";
import { ApiError } from "../api-error.ts";
import type { Accounts } from "./accounts.ts";
import type { AuditLog } from "./audit-log.ts";
import { hasRole, nobody, type Principal } from "./principal.ts";
import { RequestRate } from "./request-rate.ts";
import type { Scopes } from "./scope.ts";

declare module "fastify" {
  // Both are merged with Fastify's own: what every request carries, and what every route must state.
  interface FastifyRequest {
    principal: Principal;
  }
  interface FastifyContextConfig {
    access?: "public" | Role;
    action?: string;
    scope?: RouteScope;
  }
}

/** Nothing of a page comes from elsewhere or stands in its text: a machine's name can never become a program. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

const securityHeaders = {
  "content-security-policy": contentSecurityPolicy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "cache-control": "no-store",
} as const;

/** More than a console with all its pages and a script beside it ask for; less than what keeps the server from its work. */
const knownRate = { burst: 1000, perSecond: 200 } as const;
/** Those whom nobody knows, by address: a browser whose session has ended asks a few times, a guesser for ever. */
const refusedRate = { burst: 300, perSecond: 2 } as const;

function requireRate(waitMs: number): void {
  if (waitMs > 0) {
    throw new ApiError(429, "too-many-requests", "too many requests; ask less often", waitMs);
  }
}

/**
 * Closed by default: a request passes when it comes from our own pages or from no page at all, and its route states who
 * may call it, and its caller may, and what it names is inside its caller's groups. Everything else ends here, before a body is read.
 */
export function guardRequests(
  app: FastifyInstance,
  dependencies: {
    readonly accounts: Accounts;
    readonly audit: AuditLog;
    readonly scopes: Scopes;
    readonly epochMs: () => number;
  },
): void {
  const { accounts, audit, scopes, epochMs } = dependencies;
  const rates = { known: new RequestRate(knownRate), refused: new RequestRate(refusedRate) };
  app.decorateRequest("principal");
  app.addHook("onRequest", async (request: FastifyRequest, reply: FastifyReply) => {
    reply.headers(securityHeaders);
    request.principal = nobody;
    const { action = request.url.slice(0, 100), access, scope } = request.routeOptions.config;
    const address = request.ip;
    requireRate(rates.refused.waitMs(address, epochMs()));
    const { origin, host } = request.headers;
    if (origin !== undefined && origin !== `https://${host}`) {
      rates.refused.take(address, epochMs());
      await audit.recordRefusal({
        principal: nobody,
        action: "foreign-origin",
        detail: `${action} from ${origin.slice(0, 200)}`,
        address,
      });
      throw new ApiError(403, "foreign-origin", "this page may not talk to this server");
    }
    if (access === "public") {
      requireRate(rates.known.take(`address ${address}`, epochMs()));
      return;
    }
    const answer = await accounts.authenticate(request.headers);
    if (answer.type === "refused") {
      const principal = { ...nobody, name: answer.actor };
      await audit.recordRefusal({
        principal,
        action: answer.action,
        detail: `${answer.detail}: ${action}`,
        address,
      });
    }
    if (answer.type !== "known") {
      rates.refused.take(address, epochMs());
      throw new ApiError(401, "not-authorised", "log in, or send a token as a Bearer token");
    }
    request.principal = answer.principal;
    requireRate(rates.known.take(`${answer.principal.type} ${answer.principal.name}`, epochMs()));
    if (access === undefined && request.is404) {
      return;
    }
    if (access === undefined || !hasRole(answer.principal, access)) {
      await audit.recordRefusal({
        principal: answer.principal,
        action,
        detail: `needs ${access ?? "a route that says who may call it"}`,
        address,
      });
      throw new ApiError(
        403,
        "not-allowed",
        `this needs the role ${access}; ${answer.principal.name} is ${answer.principal.role}`,
      );
    }
    await requireInside(request, { scopes, audit, action, route: scope });
  });
}

async function requireInside(
  request: FastifyRequest,
  given: {
    readonly scopes: Scopes;
    readonly audit: AuditLog;
    readonly action: string;
    readonly route: RouteScope | undefined;
  },
): Promise<void> {
  const { scopes, audit, action, route } = given;
  const { principal, ip: address } = request;
  const { id = "" } = request.params as { id?: string };
  try {
    scopes.requireOpen(scopes.of(principal), route, id);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    await audit.recordRefusal({ principal, action, target: id === "" ? null : id, detail, address });
    throw error;
  }
}
