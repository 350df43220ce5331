import { z } from "zod";
import { pageSchema } from "./page.ts";
import type { Routes } from "./route.ts";
import { nothingSchema } from "./values.ts";

const intentSchema = z.enum(["imaging", "management", "none"]);

export const segmentSchema = z.object({
  name: z.string(),
  cidr: z.string(),
  intent: intentSchema,
  /** The server's own interface in it; `null`: behind a router. */
  interface: z.string().nullable(),
  /** The server address that its computers must use; `null`: not known. */
  serverAddress: z.string().nullable(),
  gatewayAddress: z.string().nullable(),
  relayAddress: z.string().nullable(),
  origin: z.enum(["interface", "agent", "relay", "operator"]),
});
export type SegmentResource = z.infer<typeof segmentSchema>;

const addressOrNull = z.string().max(15).nullable();

/** Addresses are checked by the server, which names what is wrong; `null` goes back to what is found. */
const segmentChanges = {
  cidr: z.string().max(18).optional(),
  intent: intentSchema.optional(),
  serverAddress: addressOrNull.optional(),
  gatewayAddress: addressOrNull.optional(),
  relayAddress: addressOrNull.optional(),
};

export const addSegmentSchema = z
  .object({ ...segmentChanges, name: z.string().max(64), cidr: z.string().max(18) })
  .strict();
export const setSegmentSchema = z.object({ ...segmentChanges, name: z.string().max(64).optional() }).strict();

/** Segments: found, and named by the operator. */
export const segmentRoutes = {
  listSegments: {
    method: "GET",
    path: "/segments",
    scope: { shared: "the network is everybody's; names no computer" },
    summary: "Every segment, found or named",
    query: pageSchema,
    pagedBy: "name",
    response: z.array(segmentSchema),
  },
  addSegment: {
    method: "POST",
    path: "/segments",
    scope: "site",
    summary: "Name a segment",
    body: addSegmentSchema,
    response: segmentSchema,
  },
  setSegment: {
    method: "PUT",
    path: "/segments/:id",
    scope: "site",
    summary: "Change a segment; one that was found becomes the operator's",
    body: setSegmentSchema,
    response: segmentSchema,
  },
  removeSegment: {
    method: "DELETE",
    path: "/segments/:id",
    scope: "site",
    summary: "Forget what the operator said of a segment",
    response: nothingSchema,
  },
} as const satisfies Routes;
