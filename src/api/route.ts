import type { z } from "zod";

/** What an account may do. Each role may do what the ones before it may. */
export const roles = ["viewer", "operator", "administrator"] as const;
export type Role = (typeof roles)[number];

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
