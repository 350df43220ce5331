import type { JsonFields } from "./json-fields.ts";

/** A task as it travels: the job's task, with what the agent needs to do it. */
export type TaskMessage = {
  readonly type: "task";
  /** Names one attempt; the agent begins each key once. */
  readonly key: string;
  readonly task:
    | {
        readonly kind: "deploy-image";
        readonly imageId: string;
        readonly disk: unknown;
        readonly transfer: TransferAccess;
      }
    | {
        readonly kind: "run-script";
        readonly script: string;
        readonly interpreter: string;
        readonly timeoutMs: number;
      }
    | { readonly kind: "restart" }
    | { readonly kind: "power-off" };
};

/** Where a transfer is had, and the right to it. */
export type TransferAccess = { readonly port: number; readonly ticket: string };

const keyMax = 256;

function decodeTask(fields: JsonFields): TaskMessage["task"] {
  const kind = fields.choice("kind", ["deploy-image", "run-script", "restart", "power-off"]);
  switch (kind) {
    case "deploy-image": {
      const transfer = fields.fields("transfer");
      return {
        kind,
        imageId: fields.text("imageId", 64),
        disk: fields.raw("disk"),
        transfer: { port: transfer.integer("port", 1, 65535), ticket: transfer.text("ticket", 128) },
      };
    }
    case "run-script":
      return {
        kind,
        script: fields.content("script", 65_536),
        interpreter: fields.text("interpreter", 128),
        timeoutMs: fields.integer("timeoutMs", 1, 24 * 3_600_000),
      };
    case "restart":
    case "power-off":
      return { kind };
  }
}

/** @throws WireError `bad-value` */
export function decodeTaskMessage(fields: JsonFields): TaskMessage {
  return { type: "task", key: fields.text("key", keyMax), task: decodeTask(fields.fields("task")) };
}
