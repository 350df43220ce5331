import type { z } from "zod";

/** One route of the HTTP API: server and clients are both typed from it. */
export type Route = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v1`; `:id` marks a parameter. */
  readonly path: string;
  readonly summary: string;
  readonly body?: z.ZodType;
  readonly response: z.ZodType;
};

export type Routes = Readonly<Record<string, Route>>;
