import { z } from "zod";
import type { Routes } from "./route.ts";

/** A segment and what the plan cannot know about the devices in between. */
const boundaryQuery = z
  .object({
    /** Name or subnet; may be left out where only one is behind a router. */
    segment: z.string().max(64).optional(),
    multicast: z.enum(["routed", "local"]).optional(),
    /** The site's DHCP servers, separated by commas. */
    dhcpServers: z.string().max(256).optional(),
    segmentInterface: z.string().max(64).optional(),
    serverInterface: z.string().max(64).optional(),
  })
  .strict();

export const exportSchema = z.object({
  format: z.string(),
  title: z.string(),
  device: z.enum(["router", "server", "computer", "dhcp-server"]),
  segment: z.string(),
  fileName: z.string(),
  text: z.string(),
  rollbackFileName: z.string(),
  rollbackText: z.string(),
});
export type ExportResource = z.infer<typeof exportSchema>;

/** The plan as configuration of other people's devices. */
export const planExportRoutes = {
  listExportFormats: {
    method: "GET",
    path: "/plan/formats",
    scope: { shared: "the network is everybody's; names no computer" },
    summary: "Devices that the plan can be printed for",
    response: z.array(z.object({ format: z.string(), title: z.string(), device: exportSchema.shape.device })),
  },
  exportPlan: {
    method: "GET",
    path: "/plan/export/:id",
    scope: { shared: "the network is everybody's; names no computer" },
    summary: "What must pass between the server and a segment, as configuration of one kind of device",
    query: boundaryQuery,
    response: exportSchema,
  },
} as const satisfies Routes;
