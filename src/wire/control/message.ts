import { Ipv4Address } from "../address/ipv4-address.ts";
import { decodeAgentImagingMessage, decodeServerImagingMessage } from "./imaging-messages.ts";
import type { AgentImagingMessage, ServerImagingMessage } from "./imaging-messages.ts";
import { decodeInventory, type Inventory } from "./inventory.ts";
import { JsonFields } from "./json-fields.ts";
import {
  type AgentManagementMessage,
  decodeAgentManagementMessage,
  decodeServerManagementMessage,
  type ServerManagementMessage,
} from "./management-messages.ts";
import { decodeServerProbeMessage, firstProbeKinds, type ServerProbeMessage } from "../probe/probe-order.ts";
import { type AgentProbeMessage, decodeAgentProbeMessage } from "../probe/probe-sighting.ts";
import { decodeTaskMessage, type TaskMessage } from "./task-message.ts";

export type Environment = "preboot" | "os";

/** What an agent still knows about a task it was given since its process began. */
export type TaskReport = {
  readonly key: string;
  readonly outcome: "running" | "done" | "failed";
  readonly reason: string | null;
  /** Of the program that the task ran, where it ran one to its end. */
  readonly exitCode?: number;
};

/** The only message that is read on a connection without a certificate. */
export type EnrollMessage = {
  readonly type: "enroll";
  readonly environment: Environment;
  /** SPKI DER of the computer's public key, base64. */
  readonly publicKey: string;
  /** Signature over this connection's exported keying material, base64: proof of the private key. */
  readonly proof: string;
  readonly bootToken: string | null;
  /** Of the operator, who gave it to the installer. */
  readonly enrolmentToken: string | null;
  readonly inventory: Inventory;
};

export type HelloMessage = {
  readonly type: "hello";
  readonly environment: Environment;
  /** Changes whenever the agent's process starts. */
  readonly agentRunId: string;
  readonly inventory: Inventory;
  readonly tasks: readonly TaskReport[];
  /** Kinds of probe it knows: an agent breaks off at an order it cannot read. */
  readonly probes: readonly string[];
};

export type AgentMessage =
  | HelloMessage
  | {
      readonly type: "task-progress";
      readonly key: string;
      readonly doneBytes: number;
      readonly totalBytes: number;
      readonly transport: "multicast" | "unicast" | null;
      readonly stage: string | null;
    }
  | {
      readonly type: "task-result";
      readonly key: string;
      readonly outcome: "done" | "failed";
      readonly reason: string | null;
      readonly exitCode?: number;
    }
  /** What the computer is now, told without being asked or because an inventory task asked. */
  | { readonly type: "inventory"; readonly inventory: Inventory }
  | { readonly type: "pong" }
  | AgentManagementMessage
  | AgentProbeMessage
  | AgentImagingMessage;

export type ServerMessage =
  | { readonly type: "pending"; readonly reason: string }
  | { readonly type: "refused"; readonly reason: string }
  | { readonly type: "enrolled"; readonly certificatePem: string }
  | {
      readonly type: "welcome";
      readonly computerId: string;
      readonly name: string;
      readonly discovery: ServerDiscovery | null;
    }
  | TaskMessage
  | { readonly type: "cancel-task"; readonly key: string }
  | { readonly type: "ping" }
  | ServerManagementMessage
  | ServerProbeMessage
  | ServerImagingMessage;

/** How this server is found by multicast. An agent that later finds nobody compares it with its own settings. */
export type ServerDiscovery = {
  readonly isEnabled: boolean;
  readonly group: Ipv4Address;
  readonly port: number;
};

const keyMax = 256;
const reasonMax = 1024;
const sizeMax = Number.MAX_SAFE_INTEGER;

function decodeReport(value: unknown): TaskReport {
  const fields = new JsonFields(value, "task");
  return {
    key: fields.text("key", keyMax),
    outcome: fields.choice("outcome", ["running", "done", "failed"]),
    reason: fields.proseOrNull("reason", reasonMax),
    ...decodeExitCode(fields),
  };
}

/** Windows has exit codes of 32 bits. */
function decodeExitCode(fields: JsonFields): { readonly exitCode?: number } {
  const isThere = fields.raw("exitCode") !== undefined && fields.raw("exitCode") !== null;
  return isThere ? { exitCode: fields.integer("exitCode", -0x80000000, 0xffffffff) } : {};
}

/** @throws WireError `bad-value` */
export function decodeEnrollMessage(value: unknown): EnrollMessage {
  const fields = new JsonFields(value, "enroll");
  return {
    type: fields.choice("type", ["enroll"]),
    environment: fields.choice("environment", ["preboot", "os"]),
    publicKey: fields.text("publicKey", 1024),
    proof: fields.text("proof", 1024),
    bootToken: fields.textOrNull("bootToken", 128),
    enrolmentToken: fields.textOrNull("enrolmentToken", 128),
    inventory: decodeInventory(fields.raw("inventory")),
  };
}

/** @throws WireError `bad-value` */
export function decodeAgentMessage(value: unknown): AgentMessage {
  const fields = new JsonFields(value, "message");
  const type = fields.text("type", 64);
  switch (type) {
    case "hello":
      return {
        type,
        environment: fields.choice("environment", ["preboot", "os"]),
        agentRunId: fields.text("agentRunId", 64),
        inventory: decodeInventory(fields.raw("inventory")),
        tasks: fields.list("tasks", 64, decodeReport),
        // Agents of the first version do not tell them.
        probes: fields.raw("probes") === undefined ? firstProbeKinds : fields.texts("probes", 64, 32),
      };
    case "task-progress": {
      const transport = fields.textOrNull("transport", 16);
      return {
        type,
        key: fields.text("key", keyMax),
        doneBytes: fields.integer("doneBytes", 0, sizeMax),
        totalBytes: fields.integer("totalBytes", 0, sizeMax),
        transport: transport === null ? null : fields.choice("transport", ["multicast", "unicast"] as const),
        stage: fields.proseOrNull("stage", 64),
      };
    }
    case "task-result":
      return {
        type,
        key: fields.text("key", keyMax),
        outcome: fields.choice("outcome", ["done", "failed"]),
        reason: fields.proseOrNull("reason", reasonMax),
        ...decodeExitCode(fields),
      };
    case "inventory":
      return { type, inventory: decodeInventory(fields.raw("inventory")) };
    case "pong":
      return { type };
    case "probe-ready":
    case "probe-result":
      return decodeAgentProbeMessage(type, fields);
    default:
      return decodeAgentManagementMessage(type, fields) ?? decodeAgentImagingMessage(type, fields);
  }
}

/** @throws WireError `bad-value` */
export function decodeServerDiscovery(value: unknown): ServerDiscovery | null {
  if (value === undefined || value === null) {
    return null;
  }
  const fields = new JsonFields(value, "discovery");
  return {
    isEnabled: fields.flag("isEnabled"),
    group: Ipv4Address.parse(fields.text("group", 15)),
    port: fields.integer("port", 1, 65_535),
  };
}

/** @throws WireError `bad-value` */
export function decodeServerMessage(value: unknown): ServerMessage {
  const fields = new JsonFields(value, "message");
  const type = fields.text("type", 64);
  switch (type) {
    case "pending":
    case "refused":
      return { type, reason: fields.prose("reason", reasonMax) };
    case "enrolled":
      return { type, certificatePem: fields.content("certificatePem", 8192) };
    case "welcome":
      return {
        type,
        computerId: fields.text("computerId", 128),
        name: fields.prose("name", 256),
        discovery: decodeServerDiscovery(fields.raw("discovery")),
      };
    case "task":
      return decodeTaskMessage(fields);
    case "cancel-task":
      return { type, key: fields.text("key", keyMax) };
    case "ping":
      return { type };
    case "probe":
    case "probe-end":
      return decodeServerProbeMessage(type, fields);
    default:
      return decodeServerManagementMessage(type, fields) ?? decodeServerImagingMessage(type, fields);
  }
}
