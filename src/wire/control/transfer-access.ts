import type { JsonFields } from "./json-fields.ts";

/** Where a transfer is had, and the right to it. */
export type TransferAccess = { readonly port: number; readonly ticket: string };

/** The field `transfer` of a task. @throws WireError `bad-value` */
export function decodeTransferAccess(fields: JsonFields): TransferAccess {
  const transfer = fields.fields("transfer");
  return { port: transfer.integer("port", 1, 65535), ticket: transfer.text("ticket", 128) };
}
