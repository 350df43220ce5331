import { decodeRestoreOptions, type RestoreOptions } from "./image-task-message.ts";
import { decodeInstallerTask, type InstallerTaskMessage } from "./installer-task-message.ts";
import type { JsonFields } from "./json-fields.ts";
import { decodeOsTask, osTaskKinds, type OsTaskMessage } from "./os-task-message.ts";
import { decodeTransferAccess, type TransferAccess } from "./transfer-access.ts";

export type { TransferAccess };

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
        readonly options: RestoreOptions;
        readonly transfer: TransferAccess;
      }
    | {
        readonly kind: "capture-image";
        readonly imageName: string;
        readonly disk: unknown;
        /** Obstacles are noted in the image instead of stopping. */
        readonly isForced: boolean;
        /** The manifest goes first, so that others get the image while it comes. */
        readonly isStreamed: boolean;
        readonly transfer: TransferAccess;
      }
    | {
        readonly kind: "run-script";
        readonly script: string;
        readonly interpreter: string;
        readonly timeoutMs: number;
      }
    | InstallerTaskMessage
    /** What `deploy-installer` has brought into memory takes the computer over. */
    | { readonly kind: "start-installer" }
    | { readonly kind: "restart" }
    | { readonly kind: "power-off" }
    | OsTaskMessage;
};

const keyMax = 256;

function decodeTask(fields: JsonFields): TaskMessage["task"] {
  const kind = fields.choice("kind", [
    "deploy-image",
    "capture-image",
    "run-script",
    "deploy-installer",
    "start-installer",
    "restart",
    "power-off",
    ...osTaskKinds,
  ]);
  switch (kind) {
    case "deploy-image":
      return {
        kind,
        imageId: fields.text("imageId", 64),
        disk: fields.raw("disk"),
        options: decodeRestoreOptions(fields),
        transfer: decodeTransferAccess(fields),
      };
    case "capture-image":
      return {
        kind,
        imageName: fields.text("imageName", 128),
        disk: fields.raw("disk"),
        isForced: fields.flag("isForced"),
        isStreamed: fields.raw("isStreamed") === true,
        transfer: decodeTransferAccess(fields),
      };
    case "run-script":
      return {
        kind,
        script: fields.content("script", 65_536),
        interpreter: fields.text("interpreter", 128),
        timeoutMs: fields.integer("timeoutMs", 1, 24 * 3_600_000),
      };
    case "deploy-installer":
      return decodeInstallerTask(fields);
    case "start-installer":
    case "restart":
    case "power-off":
      return { kind };
    case "copy-file":
    case "install-package":
    case "uninstall-package":
    case "set-configuration":
    case "inventory":
    case "capture-user-data":
    case "restore-user-data":
      return decodeOsTask(kind, fields);
  }
}

/** @throws WireError `bad-value` */
export function decodeTaskMessage(fields: JsonFields): TaskMessage {
  return { type: "task", key: fields.text("key", keyMax), task: decodeTask(fields.fields("task")) };
}
