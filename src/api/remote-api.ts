import { z } from "zod";
import { pageSchema } from "./page.ts";
import type { Routes } from "./route.ts";
import { epochMs, machineText, nothingSchema } from "./values.ts";

/**
 * Remote control is a WebSocket with the protocol of live events. Binary messages are what a terminal prints and what is
 * typed into it, or a file's content; text messages are the JSON values of `remoteOrderSchema` (to the server) and
 * `remoteNewsSchema` (from it). `?columns=80&rows=24` begins a terminal, `?session=ID` joins one, `&view=1` only looks on.
 */
export const terminalPath = "/api/v1/computers/:id/terminal";
export const filesPath = "/api/v1/computers/:id/files";
/** Binary messages are RFB (RFC 6143) both ways, from `opened` on. Each viewer has a session of its own. */
export const desktopPath = "/api/v1/computers/:id/desktop";

const terminalSide = z.number().int().min(1).max(1000);
const path = z.string().min(1).max(4096);
const sizeBytes = z.number().int().nonnegative();

export const remoteOrderSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("resize"), columns: terminalSide, rows: terminalSide }),
  z.object({ type: z.literal("list"), path }),
  z.object({ type: z.literal("get"), path }),
  /** Binary messages with the content follow, then `end`. */
  z.object({ type: z.literal("put"), path, sizeBytes }),
  z.object({ type: z.literal("end"), sha256: z.string().length(64) }),
]);
export type RemoteOrderMessage = z.infer<typeof remoteOrderSchema>;

export const remoteNewsSchema = z.discriminatedUnion("type", [
  /** First: the session stands. `port` is the one the computer has connected to. */
  z.object({
    type: z.literal("opened"),
    sessionId: z.string(),
    computerName: machineText,
    port: z.number(),
    isRecorded: z.boolean(),
    canType: z.boolean(),
  }),
  z.object({
    type: z.literal("entries"),
    path: z.string(),
    entries: z.array(
      z.object({
        name: z.string(),
        kind: z.enum(["file", "folder", "link", "other"]),
        sizeBytes,
        modifiedAtMs: epochMs,
        mode: z.number(),
      }),
    ),
  }),
  z.object({ type: z.literal("content"), path: z.string(), sizeBytes }),
  z.object({ type: z.literal("end"), sha256: z.string() }),
  z.object({ type: z.literal("stored"), path: z.string(), sizeBytes }),
  z.object({ type: z.literal("error"), reason: z.string() }),
  z.object({ type: z.literal("exited"), exitCode: z.number().nullable() }),
  /** Last: why there is nothing more. */
  z.object({ type: z.literal("closed"), reason: z.string() }),
]);
export type RemoteNewsMessage = z.infer<typeof remoteNewsSchema>;

export const remoteSessionSchema = z.object({
  id: z.string(),
  computerId: z.string(),
  computerName: machineText,
  kind: z.enum(["terminal", "files", "desktop"]),
  operator: z.string(),
  port: z.number(),
  viewerCount: z.number(),
  startedAt: epochMs,
});
export type RemoteSessionResource = z.infer<typeof remoteSessionSchema>;

export const recordingSchema = z.object({
  id: z.string(),
  computerId: z.string(),
  operator: z.string(),
  startedAt: epochMs,
  sizeBytes,
});
export type RecordingResource = z.infer<typeof recordingSchema>;

/** Who works on which computer, and what terminals have shown. */
export const remoteRoutes = {
  listRemoteSessions: {
    method: "GET",
    path: "/remote-sessions",
    scope: "filtered",
    summary: "Terminals, file sessions and desktops that are open",
    query: pageSchema,
    pagedBy: "id",
    response: z.array(remoteSessionSchema),
  },
  endRemoteSession: {
    method: "DELETE",
    path: "/remote-sessions/:id",
    access: "operator",
    scope: "named",
    summary: "End a session for everyone who is in it",
    response: nothingSchema,
  },
  listRecordings: {
    method: "GET",
    path: "/recordings",
    access: "administrator",
    scope: "filtered",
    summary: "Recordings of terminals, newest first",
    query: pageSchema,
    pagedBy: "id",
    response: z.array(recordingSchema),
  },
  showRecording: {
    method: "GET",
    path: "/recordings/:id",
    access: "administrator",
    scope: "named",
    summary: "One recording, as asciicast",
    response: z.object({ asciicast: z.string() }),
  },
} as const satisfies Routes;
