import { WireError } from "../bytes/wire-error.ts";
import { JsonFields } from "./json-fields.ts";

/*
 * On the connection of one remote session. Beside these, frames of bytes: what a terminal prints and what is typed into it,
 * or a file's content between `content` or `put` and its `end`.
 */

export type RemoteEntry = {
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "other";
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  /** Permission bits. */
  readonly mode: number;
};

/** From the operator, through the server, to the agent. */
export type RemoteOrder =
  | { readonly type: "resize"; readonly columns: number; readonly rows: number }
  | { readonly type: "list"; readonly path: string }
  | { readonly type: "get"; readonly path: string }
  /** The content follows as bytes, then `end`. */
  | { readonly type: "put"; readonly path: string; readonly sizeBytes: number }
  /** SHA-256 of the content, hex. */
  | { readonly type: "end"; readonly sha256: string };

/** From the agent, through the server, to the operator. Claims, every one of them. */
export type RemoteNews =
  | { readonly type: "entries"; readonly path: string; readonly entries: readonly RemoteEntry[] }
  | { readonly type: "content"; readonly path: string; readonly sizeBytes: number }
  | { readonly type: "end"; readonly sha256: string }
  | { readonly type: "stored"; readonly path: string; readonly sizeBytes: number }
  | { readonly type: "error"; readonly reason: string }
  | { readonly type: "exited"; readonly exitCode: number | null };

/** The first frame of such a connection. */
export type RemoteJoin = { readonly type: "remote-join"; readonly ticket: string };

export const terminalSizeMax = 1000;
const pathMax = 4096;
const entryCountMax = 10_000;

function unknownType(type: string): WireError {
  return new WireError({ code: "bad-value", field: "type", offset: 0, detail: JSON.stringify(type) });
}

/** `null` for any other message. @throws WireError `bad-value` */
export function decodeRemoteJoin(value: unknown): RemoteJoin | null {
  const fields = new JsonFields(value, "message");
  return fields.text("type", 64) === "remote-join"
    ? { type: "remote-join", ticket: fields.text("ticket", 128) }
    : null;
}

/** @throws WireError `bad-value` */
export function decodeRemoteOrder(value: unknown): RemoteOrder {
  const fields = new JsonFields(value, "order");
  const type = fields.text("type", 64);
  switch (type) {
    case "resize":
      return {
        type,
        columns: fields.integer("columns", 1, terminalSizeMax),
        rows: fields.integer("rows", 1, terminalSizeMax),
      };
    case "list":
    case "get":
      return { type, path: fields.text("path", pathMax) };
    case "put":
      return {
        type,
        path: fields.text("path", pathMax),
        sizeBytes: fields.integer("sizeBytes", 0, Number.MAX_SAFE_INTEGER),
      };
    case "end":
      return { type, sha256: fields.text("sha256", 64) };
    default:
      throw unknownType(type);
  }
}

function decodeEntry(value: unknown): RemoteEntry {
  const fields = new JsonFields(value, "entry");
  return {
    name: fields.prose("name", 1024),
    kind: fields.choice("kind", ["file", "folder", "link", "other"]),
    sizeBytes: fields.integer("sizeBytes", 0, Number.MAX_SAFE_INTEGER),
    modifiedAtMs: fields.integer("modifiedAtMs", 0, Number.MAX_SAFE_INTEGER),
    mode: fields.integer("mode", 0, 0o7777),
  };
}

/** @throws WireError `bad-value` */
export function decodeRemoteNews(value: unknown): RemoteNews {
  const fields = new JsonFields(value, "news");
  const type = fields.text("type", 64);
  switch (type) {
    case "entries":
      return {
        type,
        path: fields.prose("path", pathMax),
        entries: fields.list("entries", entryCountMax, decodeEntry),
      };
    case "content":
    case "stored":
      return {
        type,
        path: fields.prose("path", pathMax),
        sizeBytes: fields.integer("sizeBytes", 0, Number.MAX_SAFE_INTEGER),
      };
    case "end":
      return { type, sha256: fields.text("sha256", 64) };
    case "error":
      return { type, reason: fields.prose("reason", 1024) };
    case "exited":
      return {
        type,
        exitCode: fields.raw("exitCode") === null ? null : fields.integer("exitCode", 0, 0xffffffff),
      };
    default:
      throw unknownType(type);
  }
}
