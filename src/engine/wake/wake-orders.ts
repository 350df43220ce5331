/** Pauses between the magic packets for one computer. Firmware of some takes half a minute to show itself. */
const pausesMs = [1000, 2000, 4000, 8000, 15_000, 30_000, 60_000, 60_000, 120_000] as const;

const orderCountMax = 10_000;

export type WakeStep =
  | { readonly type: "send"; readonly computerId: string; readonly attempt: number }
  | { readonly type: "give-up"; readonly computerId: string; readonly afterMs: number };

type WakeOrder = { attempt: number; nextAtMs: number; readonly orderedAtMs: number };

/** Which sleeping computers are to be woken, and when the next magic packet for each is due. */
export class WakeOrders {
  /** Keyed by computer id. BOUNDED by `orderCountMax`; further orders are sent once, without retry. */
  readonly #orders = new Map<string, WakeOrder>();

  /** A new order, whose first packet leaves at once; an order that stands is begun anew. */
  add(computerId: string, nowMs: number): Extract<WakeStep, { readonly type: "send" }> {
    if (this.#orders.size < orderCountMax || this.#orders.has(computerId)) {
      this.#orders.set(computerId, { attempt: 1, nextAtMs: nowMs + pausesMs[0], orderedAtMs: nowMs });
    }
    return { type: "send", computerId, attempt: 1 };
  }

  /** It has shown itself. How long after the order, or `null` when nobody had ordered it. */
  seen(computerId: string, nowMs: number): number | null {
    const order = this.#orders.get(computerId);
    this.#orders.delete(computerId);
    return order === undefined ? null : nowMs - order.orderedAtMs;
  }

  /** When `advance` has something to do next; `null` when nothing stands. */
  get wakeAtMs(): number | null {
    const times = [...this.#orders.values()].map(({ nextAtMs }) => nextAtMs);
    return times.length === 0 ? null : times.reduce((first, time) => Math.min(first, time));
  }

  advance(nowMs: number): WakeStep[] {
    const steps: WakeStep[] = [];
    for (const [computerId, order] of this.#orders) {
      if (order.nextAtMs > nowMs) {
        continue;
      }
      const pauseMs = pausesMs[order.attempt];
      if (pauseMs === undefined) {
        this.#orders.delete(computerId);
        steps.push({ type: "give-up", computerId, afterMs: nowMs - order.orderedAtMs });
        continue;
      }
      order.attempt += 1;
      order.nextAtMs = nowMs + pauseMs;
      steps.push({ type: "send", computerId, attempt: order.attempt });
    }
    return steps;
  }
}
