import type { Logger } from "pino";
import type { Clock } from "#platform/clock.ts";
import type { ComputerEventStore, StoredComputerEvent } from "#store/computer-event-store.ts";

/** What kind of thing happened to a computer outside of boots and jobs. */
export type ComputerEventKind =
  | "enrolment"
  | "settings"
  | "rogue-server"
  | "wake"
  | "inventory"
  | "initial-deployment"
  | "remote-control"
  | "install";

/** Writes down what happened to computers, without making the one who tells it wait. */
export class ComputerHistory {
  readonly #store: ComputerEventStore;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(store: ComputerEventStore, clock: Clock, log: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  note(computerId: string | null, kind: ComputerEventKind, detail: string): void {
    this.#log.info({ computerId, kind }, "computer event");
    this.#store
      .insert({ atMs: this.#clock.epochMs(), computerId, kind, detail })
      .catch((error: unknown) => this.#log.error({ err: error, kind }, "an event could not be stored"));
  }

  /** Newest first, of one computer, of those in some groups, or of all. */
  list(of: string | ReadonlySet<string> | null): Promise<StoredComputerEvent[]> {
    return this.#store.list(of);
  }
}
