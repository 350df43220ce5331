import type { TLSSocket } from "node:tls";
import type { Clock } from "#platform/clock.ts";

/** Connections that are not authenticated yet, or only wait to be let in. */
const strangerCountMax = 2000;
const strangerPerAddressMax = 16;
/** For the handshake and the first frame. */
export const strangerPatienceMs = 20_000;

/** Connections that have proven nothing: few, few from one address, and not for long. */
export class StrangerList {
  readonly #clock: Clock;
  /** Keyed by connection. BOUNDED by `strangerCountMax`. */
  readonly #addresses = new Map<TLSSocket, string>();
  /** How many there are, keyed by address. BOUNDED by `strangerCountMax`. */
  readonly #counts = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Takes a new connection in, or says that there is no room. `onLate` is called when it has not been authenticated in
   * time, unless `mayWait` says that it waits for an operator.
   */
  add(
    socket: TLSSocket,
    address: string,
    given: { readonly mayWait: () => boolean; readonly onLate: () => void },
  ): boolean {
    const sameAddressCount = this.#counts.get(address) ?? 0;
    if (this.#addresses.size >= strangerCountMax || sameAddressCount >= strangerPerAddressMax) {
      return false;
    }
    this.#addresses.set(socket, address);
    this.#counts.set(address, sameAddressCount + 1);
    socket.setTimeout(strangerPatienceMs, given.onLate);
    // By the clock, not by silence: one byte a second must not hold a place.
    const cancelDeadline = this.#clock.after(strangerPatienceMs, () => {
      if (this.#addresses.has(socket) && !given.mayWait()) {
        given.onLate();
      }
    });
    socket.once("close", () => {
      cancelDeadline();
      this.remove(socket);
    });
    return true;
  }

  /** The connection is authenticated, or gone. */
  remove(socket: TLSSocket): void {
    const address = this.#addresses.get(socket);
    if (address === undefined) {
      return;
    }
    this.#addresses.delete(socket);
    const left = (this.#counts.get(address) ?? 1) - 1;
    if (left === 0) {
      this.#counts.delete(address);
    } else {
      this.#counts.set(address, left);
    }
  }
}
