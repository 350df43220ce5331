import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { broadcastsOf, chooseWakers, type WakePeer } from "#engine/wake/choose-wakers.ts";
import { WakeOrders, type WakeStep } from "#engine/wake/wake-orders.ts";
import type { Clock } from "#platform/clock.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import type { Inventory } from "#wire/control/inventory.ts";
import type { ComputerHistory } from "../computer-history.ts";
import type { ControlLink } from "./control-service.ts";

export type WakeOptions = {
  /** 4 or 6 bytes; `null` without. */
  readonly secureOnPassword: Uint8Array | null;
  /** Also to the broadcast address of the segment where it was last seen. */
  readonly usesDirectedBroadcast: boolean;
};

export type WakeSent = {
  /** Magic packets of the server itself. */
  readonly sentCount: number;
  /** Neighbours that were asked to send one. */
  readonly peerIds: readonly string[];
};

export type WakeServiceDependencies = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly history: ComputerHistory;
  readonly findComputer: (
    id: string,
  ) => { readonly macs: readonly MacAddress[]; readonly inventory: Inventory | null } | null;
  /** Every connected agent. */
  readonly links: () => Iterable<ControlLink>;
  readonly peerPort: () => number;
  readonly sendFromServer: (packets: {
    readonly macs: readonly MacAddress[];
    readonly directed: readonly Ipv4Address[];
    readonly secureOnPassword: Uint8Array | null;
  }) => Promise<number>;
};

export const plainWake: WakeOptions = { secureOnPassword: null, usesDirectedBroadcast: false };

/** Wakes computers: from here, and through awake neighbours, again and again until they show themselves. */
export class WakeService {
  readonly #dependencies: WakeServiceDependencies;
  readonly #orders = new WakeOrders();
  /** Keyed by computer id. BOUNDED as the orders are. */
  readonly #options = new Map<string, WakeOptions>();
  #cancelTimer: () => void = () => undefined;

  constructor(dependencies: WakeServiceDependencies) {
    this.#dependencies = dependencies;
  }

  stop(): void {
    this.#cancelTimer();
  }

  /** @throws NetworkError when not even the first packet could be sent and nobody else was asked */
  async order(computerId: string, options: WakeOptions = plainWake): Promise<WakeSent> {
    this.#options.set(computerId, options);
    const step = this.#orders.add(computerId, this.#dependencies.clock.monotonicMs());
    this.#schedule();
    return this.#send(step.computerId, step.attempt);
  }

  /** It is awake: it asked for its boot file, or its agent has connected. */
  seen(computerId: string): void {
    const { clock, history } = this.#dependencies;
    const afterMs = this.#orders.seen(computerId, clock.monotonicMs());
    if (afterMs !== null) {
      this.#options.delete(computerId);
      history.note(computerId, "wake", `seen ${(afterMs / 1000).toFixed(1)} s after the order`);
    }
  }

  #schedule(): void {
    const { clock, log } = this.#dependencies;
    this.#cancelTimer();
    const { wakeAtMs } = this.#orders;
    if (wakeAtMs === null) {
      return;
    }
    this.#cancelTimer = clock.after(Math.max(1, wakeAtMs - clock.monotonicMs()), () => {
      for (const step of this.#orders.advance(clock.monotonicMs())) {
        this.#take(step).catch((error: unknown) =>
          log.warn({ err: error, computerId: step.computerId }, "a magic packet could not be sent"),
        );
      }
      this.#schedule();
    });
  }

  async #take(step: WakeStep): Promise<void> {
    if (step.type === "send") {
      await this.#send(step.computerId, step.attempt);
      return;
    }
    this.#options.delete(step.computerId);
    const minutes = Math.round(step.afterMs / 60_000);
    this.#dependencies.history.note(
      step.computerId,
      "wake",
      `not seen within ${minutes} min: is Wake-on-LAN on in its firmware, is it plugged in, is someone awake on its segment?`,
    );
  }

  async #send(computerId: string, attempt: number): Promise<WakeSent> {
    const { findComputer, links, peerPort, sendFromServer, history } = this.#dependencies;
    const computer = findComputer(computerId);
    const macs = computer?.macs ?? [];
    const cards = computer?.inventory?.cards ?? [];
    const { secureOnPassword, usesDirectedBroadcast } = this.#options.get(computerId) ?? plainWake;
    const linksById = new Map(
      [...links()].filter((link) => link.computerId !== computerId).map((link) => [link.computerId, link]),
    );
    const { computerIds: peerIds, reason } = chooseWakers(cards, [...linksById.values()].map(describePeer));
    const wakeId = `w-${randomBytes(4).toString("hex")}`;
    const password = secureOnPassword === null ? null : Buffer.from(secureOnPassword).toString("hex");
    for (const peerId of peerIds) {
      linksById
        .get(peerId)
        ?.send({ type: "wake-peer", wakeId, macs, port: peerPort(), secureOnPassword: password });
    }
    const directed = usesDirectedBroadcast ? broadcastsOf(cards) : [];
    const sentCount = await sendFromServer({ macs, directed, secureOnPassword });
    if (attempt === 1) {
      history.note(computerId, "wake", `ordered; by the server and ${peerIds.length} peers (${reason})`);
    }
    return { sentCount, peerIds };
  }
}

function describePeer({ computerId, environment, connectedAtMs, hello }: ControlLink): WakePeer {
  return { computerId, environment, connectedSinceMs: connectedAtMs, cards: hello.inventory.cards };
}
