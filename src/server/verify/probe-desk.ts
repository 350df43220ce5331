import { randomUUID } from "node:crypto";
import type { Clock } from "#platform/clock.ts";
import type { ProbeKind, ProbeOrder } from "#wire/probe/probe-order.ts";
import type { AgentProbeMessage, ProbeSighting } from "#wire/probe/probe-sighting.ts";
import type { ControlLink } from "../services/control-service.ts";

type SightingOf<Kind extends ProbeKind> = Extract<ProbeSighting, { readonly kind: Kind }>;

/** What became of an order: seen, or why it could not be tried. */
export type ProbeOutcome<Kind extends ProbeKind> =
  | { readonly type: "seen"; readonly sighting: SightingOf<Kind> }
  | { readonly type: "not-tried"; readonly reason: string };

type Waiting = {
  readonly computerId: string;
  readonly kind: ProbeKind;
  readonly onReady: () => void;
  readonly end: (outcome: ProbeOutcome<ProbeKind>) => void;
};

/** Longer than any probe takes by itself. */
const answerMsMax = 25_000;
export const agentWasSilent = "the agent did not report; its connection may have ended";
export const agentHasLeft = "the agent's connection has ended";

/** Sends orders to agents and brings their sightings back. */
export class ProbeDesk {
  readonly #clock: Clock;
  /** Keyed by probe id. BOUNDED by the orders of running verifications, each ends by its time. */
  readonly #waiting = new Map<string, Waiting>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  receive(computerId: string, message: AgentProbeMessage): void {
    const waiting = this.#waiting.get(message.probeId);
    if (waiting === undefined || waiting.computerId !== computerId) {
      return;
    }
    if (message.type === "probe-ready") {
      waiting.onReady();
      return;
    }
    const { sighting, reason } = message;
    if (sighting !== null && sighting.kind === waiting.kind) {
      waiting.end({ type: "seen", sighting });
    } else {
      waiting.end({ type: "not-tried", reason: reason ?? "the agent's answer makes no sense" });
    }
  }

  /** An agent's connection has ended: what it was asked there is not waited for. */
  leave(computerId: string): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting.computerId === computerId) {
        waiting.end({ type: "not-tried", reason: agentHasLeft });
      }
    }
  }

  /**
   * Has one agent try one thing.
   *
   * @param feed what the server sends once the agent is ready; the agent counts until it has ended
   */
  async ask<Kind extends ProbeKind>(
    link: ControlLink,
    order: Extract<ProbeOrder, { readonly kind: Kind }>,
    feed: (() => Promise<void>) | null = null,
  ): Promise<ProbeOutcome<Kind>> {
    const probeId = randomUUID();
    const { promise, resolve } = Promise.withResolvers<ProbeOutcome<ProbeKind>>();
    const cancel = this.#clock.after(answerMsMax, () =>
      resolve({ type: "not-tried", reason: agentWasSilent }),
    );
    const onReady = (): void => {
      const fed = feed === null ? Promise.resolve() : feed();
      fed.then(
        () => link.send({ type: "probe-end", probeId }),
        (error: unknown) =>
          resolve({ type: "not-tried", reason: error instanceof Error ? error.message : String(error) }),
      );
    };
    this.#waiting.set(probeId, { computerId: link.computerId, kind: order.kind, onReady, end: resolve });
    link.send({ type: "probe", probeId, order });
    try {
      // The kinds were compared when the message came.
      return (await promise) as ProbeOutcome<Kind>;
    } finally {
      cancel();
      this.#waiting.delete(probeId);
    }
  }
}
