import type { z } from "zod";

/** What an account may do. Each role may do what the ones before it may. */
export const roles = ["viewer", "operator", "administrator"] as const;
export type Role = (typeof roles)[number];

/**
 * What keeps an account that is limited to groups of computers inside of them.
 *
 * - `computer`, `group`: `:id` names one; outside it is refused before the handler is called.
 * - `named`: the handler refuses what the request names outside.
 * - `filtered`: the answer holds what is inside, and no more.
 * - `shared`: open to everybody whom the role lets in, because of what is written there.
 * - `site`: refused.
 */
export type RouteScope = "computer" | "group" | "named" | "filtered" | "site" | { readonly shared: string };

/** One route of the HTTP API: server and clients are both typed from it. */
export type Route = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v1`; `:id` marks a parameter. */
  readonly path: string;
  readonly summary: string;
  /**
   * Who may call it; `public` needs no account. Left out: `viewer` for GET, `administrator` for everything else, so that
   * a route nobody thought about is closed to those who may not change anything.
   */
  readonly access?: "public" | Role;
  /** There is no default: a route that nobody thought about does not compile. */
  readonly scope: RouteScope;
  /** Of the URL. Values arrive as text. */
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly response: z.ZodType;
  /**
   * The response is a list that may be asked for in pages: by this field of its items, which is unique and never changes.
   * Its query has the fields of `pageQuery`.
   */
  readonly pagedBy?: string;
  /** The answer holds a secret that is told once: it is not kept, so that the request cannot be repeated by key. */
  readonly isToldOnce?: boolean;
};

export type Routes = Readonly<Record<string, Route>>;

export function accessOf(route: Route): "public" | Role {
  return route.access ?? (route.method === "GET" ? "viewer" : "administrator");
}
