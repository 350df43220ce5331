import type { Network } from "#platform/network.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { AgentImagingMessage, ServerImagingMessage } from "#wire/control/imaging-messages.ts";

export type TaskOutcome = { readonly outcome: "done" | "failed"; readonly reason: string | null };

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
  readonly send: (message: AgentImagingMessage) => void;
  /** Imaging messages of the server, and the news that a new connection stands. */
  readonly onMessage: (
    handler: (message: ServerImagingMessage | { readonly type: "reconnected" }) => void,
  ) => void;
  readonly report: (progress: TaskProgress) => void;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
};
