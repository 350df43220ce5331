import { z } from "zod";
import { pageSchema } from "./page.ts";
import type { Routes } from "./route.ts";

export const sessionSchema = z.object({
  id: z.number(),
  imageId: z.string(),
  imageName: z.string(),
  group: z.string().nullable(),
  port: z.number().nullable(),
  /** `fetching` from another server, `gathering`, `waiting-for-group`, `sending`, `paused` or `ended`. */
  state: z.string(),
  joined: z.number(),
  expected: z.number(),
  /** Payload bytes put on the wire, repairs included. */
  sentBytes: z.number(),
  /** Bytes of one copy of what the receivers lacked. */
  copyBytes: z.number(),
  rateBytesPerSecond: z.number(),
  /** Chunks that came from another server of the site, and how many had to; `null`: none. */
  fetched: z.object({ doneCount: z.number(), totalCount: z.number() }).nullable(),
  /** What each receiver reports: datagrams sent so far, and those of them that did not reach it. */
  receivers: z.array(z.object({ computerId: z.string(), expectedCount: z.number(), lostCount: z.number() })),
  movedToUnicast: z.array(z.object({ computerId: z.string(), reason: z.string() })),
});
export type SessionResource = z.infer<typeof sessionSchema>;

/** Imaging sessions. */
export const sessionRoutes = {
  listSessions: {
    method: "GET",
    path: "/sessions",
    scope: "filtered",
    summary: "Imaging sessions, running ones first",
    query: pageSchema,
    pagedBy: "id",
    response: z.array(sessionSchema),
  },
  pauseSession: {
    method: "POST",
    path: "/sessions/:id/pause",
    access: "operator",
    scope: "named",
    summary: "Hold a session; its computers wait",
    response: sessionSchema,
  },
  resumeSession: {
    method: "POST",
    path: "/sessions/:id/resume",
    access: "operator",
    scope: "named",
    summary: "Go on with a paused session",
    response: sessionSchema,
  },
  cancelSession: {
    method: "POST",
    path: "/sessions/:id/cancel",
    access: "operator",
    scope: "named",
    summary: "End a session; its task fails on computers that have not everything",
    response: sessionSchema,
  },
} as const satisfies Routes;
