import type { LeftReason } from "#engine/multicast/pace.ts";
import type { Ranges } from "#wire/control/imaging-messages.ts";

/** What `transmit.ts` is to do, as JSON. */
export type TransmitPlan = {
  readonly chunksFolder: string;
  readonly manifestPath: string;
  /** 0 for no cap. */
  readonly maxMbps: number;
  readonly receivers: readonly TransmitReceiver[];
};

export type TransmitReceiver = {
  /** Network namespace, with one interface. */
  readonly namespace: string;
  /** Joins when so much of one copy was sent; absent: at the start. */
  readonly joinAt?: number;
  /** Killed with no farewell when so much of one copy was sent. */
  readonly killAt?: number;
  /** Chunks it lacks; absent: all. */
  readonly wanted?: Ranges;
};

export type TransmitResult = {
  readonly durationMs: number;
  /** Of the sender. */
  readonly cpuMs: number;
  readonly copyBytes: number;
  readonly sentBytes: number;
  readonly socketErrorCount: number;
  /** By namespace: why it left, and when, from the start. */
  readonly left: Readonly<Record<string, { readonly reason: LeftReason; readonly atMs: number }>>;
  /** By namespace: what it said when everything had come. */
  readonly complete: Readonly<
    Record<
      string,
      | {
          readonly isComplete: boolean;
          readonly packetCount: number;
          readonly refusedCount: number;
          readonly cpuMs: number;
        }
      | undefined
    >
  >;
};
