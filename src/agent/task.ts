import type { Network } from "#platform/network.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { DiskInventory } from "#wire/control/inventory.ts";
import type { TransferAccess } from "#wire/control/task-message.ts";
import type { AgentMessage } from "#wire/control/message.ts";
import type { AgentImagingMessage, ServerImagingMessage } from "#wire/control/imaging-messages.ts";

/**
 * The server named the running task again: it may be another process now, which knows nothing of the session and
 * of the rights it gave. From here on the new right counts.
 */
export type TaskAgain = { readonly type: "task-again"; readonly transfer: TransferAccess };

export type TaskOutcome = {
  readonly outcome: "done" | "failed";
  readonly reason: string | null;
  /** Of the program that the task ran, where it ran one to its end. */
  readonly exitCode?: number;
};

export type TaskProgress = {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly transport: "multicast" | "unicast" | null;
  readonly stage: string | null;
};

/** What a task may use. It outlives connections: messages sent while there is none are dropped, and asked for again. */
export type TaskContext = {
  readonly key: string;
  readonly network: Network;
  /** The server of the moment. */
  readonly serverAddress: () => Ipv4Address;
  readonly siteKeyFingerprint: string;
  /** Certificate and key for transfers. */
  readonly identity: () => { readonly key: string; readonly cert: string };
  readonly send: (message: AgentImagingMessage | Extract<AgentMessage, { type: "inventory" }>) => void;
  /** Imaging messages of the server, and the news that a server asked for this task again. */
  readonly onMessage: (handler: (message: ServerImagingMessage | TaskAgain) => void) => void;
  /** The disks of this computer, as they are now. */
  readonly disks: () => readonly DiskInventory[];
  readonly report: (progress: TaskProgress) => void;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
};
