import { z } from "zod";
import { pageQuery } from "./page.ts";
import type { Routes } from "./route.ts";
import { epochMs, machineText, nothingSchema } from "./values.ts";
import { bootEventSchema, eventQuerySchema } from "./boot-api.ts";

export const computerSchema = z.object({
  id: z.string(),
  name: machineText,
  state: z.enum(["pending", "approved", "conflict"]),
  /** Why it is pending or in conflict, as a sentence. */
  reason: z.string().nullable(),
  /** The group it is in; `null`: in none. */
  groupId: z.string().nullable(),
  macs: z.array(z.string()),
  uuid: z.string().nullable(),
  serial: machineText.nullable(),
  /** Where its agent is connected from now, `null` when it is not. */
  environment: z.enum(["preboot", "os"]).nullable(),
  address: z.string().nullable(),
  firmware: machineText.nullable(),
  product: machineText.nullable(),
  lastSeenAt: epochMs.nullable(),
  inventory: z.unknown(),
});
export type ComputerResource = z.infer<typeof computerSchema>;

export const softwareSchema = z.object({
  packages: z.array(z.object({ name: machineText, version: machineText })),
  /** Accounts of people, and root. */
  users: z.array(machineText),
  /** `null`: nothing was told yet; only agents of Linux tell it. */
  toldAt: epochMs.nullable(),
});
export type SoftwareResource = z.infer<typeof softwareSchema>;

export const wakeSchema = z
  .object({
    /** SecureOn password, 4 or 6 bytes in hex. */
    secureOn: z
      .string()
      .regex(/^([0-9a-fA-F]{8}|[0-9a-fA-F]{12})$/, "4 or 6 bytes in hex")
      .optional(),
    /** Also to the broadcast address of its segment, for routers that pass it. */
    directedBroadcast: z.boolean().default(false),
  })
  .strict();

/** Computers. */
export const computerRoutes = {
  listComputers: {
    method: "GET",
    path: "/computers",
    scope: "filtered",
    summary: "All computers",
    query: z
      .object({
        ...pageQuery,
        state: z.enum(["pending", "approved", "conflict"]).optional(),
        connected: z.enum(["yes", "no"]).optional(),
        /** An id, path or name: computers in this group and in those in it. */
        group: z.string().max(1100).optional(),
        /** Every word of it occurs in something that names the computer. */
        text: z.string().max(256).optional(),
      })
      .strict(),
    pagedBy: "id",
    response: z.array(computerSchema),
  },
  showComputer: {
    method: "GET",
    path: "/computers/:id",
    scope: "computer",
    summary: "One computer",
    response: computerSchema,
  },
  showComputerSoftware: {
    method: "GET",
    path: "/computers/:id/software",
    scope: "computer",
    summary: "Packages and users of a computer, as its installed agent last told",
    response: softwareSchema,
  },
  approveComputer: {
    method: "POST",
    path: "/computers/:id/approve",
    access: "operator",
    scope: "computer",
    summary: "Let a pending computer in",
    response: computerSchema,
  },
  wakeComputer: {
    method: "POST",
    path: "/computers/:id/wake",
    access: "operator",
    scope: "computer",
    summary: "Wake it by magic packets, from the server and by awake neighbours, until it is seen",
    body: wakeSchema.nullish(),
    response: z.object({
      /** Magic packets that the server itself has sent now. */
      sent: z.number(),
      interfaces: z.array(z.string()),
      /** Computers that were asked to send one. */
      peers: z.array(z.string()),
    }),
  },
  forgetComputer: {
    method: "DELETE",
    path: "/computers/:id",
    scope: "computer",
    summary: "Remove its record and its right to connect",
    response: nothingSchema,
  },
  listComputerEvents: {
    method: "GET",
    path: "/computers/:id/events",
    scope: "computer",
    summary: "Its boot events, newest first",
    query: eventQuerySchema,
    response: z.array(bootEventSchema),
  },
} as const satisfies Routes;
