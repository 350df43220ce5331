import { z } from "zod";
import { computerSchema } from "./computer-api.ts";
import { pageSchema } from "./page.ts";
import type { Routes } from "./route.ts";
import { nothingSchema } from "./values.ts";

export const groupSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** The group it is in; `null`: it stands at the top. */
  parentId: z.string().nullable(),
  /** Its name after those of the groups it is in: `Building A/LAB1`. */
  path: z.string(),
  /** Computers in it, without those in its groups. */
  computerCount: z.number(),
  /** With those. */
  nestedComputerCount: z.number(),
});
export type GroupResource = z.infer<typeof groupSchema>;

/** An id, a path, or a name that only one group has. */
export const groupWord = z.string().min(1).max(1100);
const groupName = z.string().max(64);
const computerWords = z.array(z.string().min(1).max(256)).min(1).max(10_000);

/** Groups of computers: a tree. A computer is in one of them or in none. */
export const groupRoutes = {
  listGroups: {
    method: "GET",
    path: "/groups",
    scope: "filtered",
    summary: "Every group of computers",
    query: pageSchema,
    pagedBy: "id",
    response: z.array(groupSchema),
  },
  addGroup: {
    method: "POST",
    path: "/groups",
    access: "operator",
    scope: "named",
    summary: "Make a group, in another or at the top",
    body: z.object({ name: groupName, parent: groupWord.nullable().default(null) }).strict(),
    response: groupSchema,
  },
  setGroup: {
    method: "PUT",
    path: "/groups/:id",
    access: "operator",
    scope: "group",
    summary: "Rename a group or move it with everything in it",
    body: z.object({ name: groupName.optional(), parent: groupWord.nullable().optional() }).strict(),
    response: groupSchema,
  },
  removeGroup: {
    method: "DELETE",
    path: "/groups/:id",
    access: "operator",
    scope: "group",
    summary: "Remove a group; what is in it goes to the group it was in",
    response: nothingSchema,
  },
  moveComputers: {
    method: "POST",
    path: "/computers/move",
    access: "operator",
    scope: "named",
    summary: "Put computers into a group, or out of every group",
    body: z.object({ computers: computerWords, group: groupWord.nullable() }).strict(),
    response: z.array(computerSchema),
  },
  wakeGroup: {
    method: "POST",
    path: "/groups/:id/wake",
    access: "operator",
    scope: "group",
    summary: "Wake every computer in a group that is not connected, until it is seen",
    response: z.object({
      /** Computers that were ordered to be woken. */
      computers: z.array(z.string()),
      /** Magic packets that the server itself has sent now. */
      sent: z.number(),
    }),
  },
} as const satisfies Routes;
