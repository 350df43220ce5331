import { Ipv4Address } from "../address/ipv4-address.ts";
import { MacAddress } from "../address/mac-address.ts";
import {
  type AgentSettings,
  type AgentSettingsChange,
  decodeAgentSettings,
  decodeAgentSettingsChange,
} from "./agent-settings.ts";
import { decodeSoftware, type SoftwareMessage } from "./software-message.ts";
import { decodeMenu, decodeMenuChoice, type MenuChoice, type MenuMessage } from "./boot-menu-message.ts";
import type { JsonFields } from "./json-fields.ts";

/** What became of a change of an agent's settings. */
export type SettingsReport = {
  readonly type: "settings-report";
  readonly changeId: string;
  /** `returned`: the server was not reached with the new settings in time, the old ones count again. */
  readonly outcome: "applied" | "returned" | "refused";
  readonly reason: string | null;
};

/** What an agent says about itself and its segment, outside of any task. */
export type AgentManagementMessage =
  | SettingsReport
  | MenuChoice
  /** What is installed: once for each run of an installed agent, and when it changes. */
  | SoftwareMessage
  /** The settings it runs with. Sent after each `welcome` by installed agents. */
  | { readonly type: "settings"; readonly settings: AgentSettings; readonly isLocked: boolean }
  /** Who answered on the discovery group with a key that is not the site's. Nothing was sent to it. */
  | { readonly type: "rogue-server"; readonly address: Ipv4Address; readonly fingerprint: string }
  | { readonly type: "wake-sent"; readonly wakeId: string; readonly sentCount: number }
  /** The user or the policy of the computer said no, or it could not be begun. */
  | { readonly type: "remote-refused"; readonly sessionId: string; readonly reason: string };

export type ServerManagementMessage =
  /** Let a person at the computer choose, in preboot. */
  | MenuMessage
  /** What became of the choice, or came instead of a menu. */
  | { readonly type: "menu-end"; readonly text: string; readonly isRestart: boolean }
  | {
      readonly type: "change-settings";
      readonly changeId: string;
      readonly change: AgentSettingsChange;
      /** The old settings return when the server was not reached with the new ones in this time. */
      readonly returnAfterMs: number;
    }
  /** Send magic packets on your own segment. */
  | {
      readonly type: "wake-peer";
      readonly wakeId: string;
      readonly macs: readonly MacAddress[];
      /** Destination port. */
      readonly port: number;
      /** 4 or 6 bytes, hex; `null` without. */
      readonly secureOnPassword: string | null;
    }
  /** Connect to this port of the server with the ticket, and let an operator work. */
  | {
      readonly type: "remote-open";
      readonly sessionId: string;
      readonly kind: RemoteKind;
      readonly port: number;
      readonly ticket: string;
      /** Who asks, for the consent of the user and the notice on the computer. */
      readonly operator: string;
      readonly columns: number;
      readonly rows: number;
      /** A desktop that is looked at alone. */
      readonly isViewOnly: boolean;
    };

export const remoteKinds = ["terminal", "files", "desktop"] as const;
export type RemoteKind = (typeof remoteKinds)[number];

export const returnAfterMsRange = { from: 5000, to: 24 * 3_600_000 } as const;

/** `null` for a type that is none of these. @throws WireError `bad-value` */
export function decodeAgentManagementMessage(
  type: string,
  fields: JsonFields,
): AgentManagementMessage | null {
  switch (type) {
    case "settings-report":
      return {
        type,
        changeId: fields.text("changeId", 64),
        outcome: fields.choice("outcome", ["applied", "returned", "refused"]),
        reason: fields.proseOrNull("reason", 1024),
      };
    case "settings":
      return {
        type,
        settings: decodeAgentSettings(fields.raw("settings")),
        isLocked: fields.flag("isLocked"),
      };
    case "rogue-server":
      return {
        type,
        address: Ipv4Address.parse(fields.text("address", 15)),
        fingerprint: fields.text("fingerprint", 64),
      };
    case "software":
      return decodeSoftware(fields);
    case "menu-choice":
      return decodeMenuChoice(fields);
    case "wake-sent":
      return { type, wakeId: fields.text("wakeId", 64), sentCount: fields.integer("sentCount", 0, 1024) };
    case "remote-refused":
      return { type, sessionId: fields.text("sessionId", 64), reason: fields.prose("reason", 1024) };
    default:
      return null;
  }
}

/** `null` for a type that is none of these. @throws WireError `bad-value` */
export function decodeServerManagementMessage(
  type: string,
  fields: JsonFields,
): ServerManagementMessage | null {
  switch (type) {
    case "change-settings":
      return {
        type,
        changeId: fields.text("changeId", 64),
        change: decodeAgentSettingsChange(fields.raw("change")),
        returnAfterMs: fields.integer("returnAfterMs", returnAfterMsRange.from, returnAfterMsRange.to),
      };
    case "menu":
      return decodeMenu(fields);
    case "menu-end":
      return { type, text: fields.prose("text", 1024), isRestart: fields.flag("isRestart") };
    case "wake-peer":
      return {
        type,
        wakeId: fields.text("wakeId", 64),
        macs: fields.texts("macs", 32, 17).map((text) => MacAddress.parse(text)),
        port: fields.integer("port", 1, 65_535),
        secureOnPassword: fields.textOrNull("secureOnPassword", 12),
      };
    case "remote-open":
      return {
        type,
        sessionId: fields.text("sessionId", 64),
        kind: fields.choice("kind", remoteKinds),
        port: fields.integer("port", 1, 65_535),
        ticket: fields.text("ticket", 128),
        operator: fields.prose("operator", 128),
        columns: fields.integer("columns", 1, 1000),
        rows: fields.integer("rows", 1, 1000),
        isViewOnly: fields.flag("isViewOnly"),
      };
    default:
      return null;
  }
}
