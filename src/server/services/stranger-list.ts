import type { TLSSocket } from "node:tls";
import type { Clock } from "#platform/clock.ts";

/** Connections without a certificate of this site that are not let in yet. */
const strangerCountMax = 2000;
/** From one address; with a certificate of this site, of one computer: many of them may be behind one address. */
const sameOwnerCountMax = 16;
/** As patient as agents are: when all come back at once, handshakes begin together and end together. */
export const handshakeTimeoutMs = 30_000;
/** For the first frame. */
const strangerPatienceMs = 20_000;

/**
 * Connections that have said nothing yet, or only wait to be let in: few, few of one owner, and not for long. All computers
 * of a site may come back at once, so those with a certificate do not take each other's places, nor those of strangers.
 */
export class StrangerList {
  readonly #clock: Clock;
  /** Their owners, keyed by connection. BOUNDED by `strangerCountMax` and the computers of the site. */
  readonly #owners = new Map<TLSSocket, string>();
  /** How many there are, keyed by owner. BOUNDED like `#owners`. */
  readonly #counts = new Map<string, number>();
  /** BOUNDED by `strangerCountMax`. */
  readonly #uncertified = new Set<TLSSocket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Takes a new connection in, or says that there is no room. `onLate` is called when it has not been authenticated in
   * time, unless `mayWait` says that it waits for an operator.
   */
  add(
    socket: TLSSocket,
    given: {
      /** Its address, or the computer of its certificate. */
      readonly owner: string;
      readonly isCertified: boolean;
      readonly mayWait: () => boolean;
      readonly onLate: () => void;
    },
  ): boolean {
    const { owner, isCertified } = given;
    const sameOwnerCount = this.#counts.get(owner) ?? 0;
    const isFull = !isCertified && this.#uncertified.size >= strangerCountMax;
    if (isFull || sameOwnerCount >= sameOwnerCountMax) {
      return false;
    }
    this.#owners.set(socket, owner);
    this.#counts.set(owner, sameOwnerCount + 1);
    if (!isCertified) {
      this.#uncertified.add(socket);
    }
    socket.setTimeout(strangerPatienceMs, given.onLate);
    // By the clock, not by silence: one byte a second must not hold a place.
    const cancelDeadline = this.#clock.after(strangerPatienceMs, () => {
      if (this.#owners.has(socket) && !given.mayWait()) {
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
    const owner = this.#owners.get(socket);
    if (owner === undefined) {
      return;
    }
    this.#owners.delete(socket);
    this.#uncertified.delete(socket);
    const left = (this.#counts.get(owner) ?? 1) - 1;
    if (left === 0) {
      this.#counts.delete(owner);
    } else {
      this.#counts.set(owner, left);
    }
  }
}
