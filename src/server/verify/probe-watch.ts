import type { RelayTrace } from "#engine/boot/boot-event.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";

/** A probe as it came in at this end: who the other side was seen as, and by which way it came. */
export type ProbeArrival = {
  readonly sourceAddress: Ipv4Address;
  readonly sourcePort: number;
  readonly interfaceName: string;
  readonly relay: RelayTrace | null;
  /** Why it was not answered; `null`: it was. */
  readonly silence: "relay-not-listed" | null;
};

export type ProbeToken = `mac:${67 | 4011}:${string}` | `nonce:${string}` | `file:${string}`;

const tokenCountMax = 1024;
const arrivalCountMax = 64;

/** Name of the file that probes read by TFTP, followed by the token of the probe. */
export const probeFilePrefix = "portolan-probe-";

/** What is read: longer than a datagram, so that its blocks fill one. Content that every prober can check. */
export const probeFile: Uint8Array = Uint8Array.from({ length: 4000 }, (_, index) => (index * 7) & 255);

/**
 * Where services tell that a probe has arrived, so that "lost on the way there" and "lost on the way back" are told apart.
 *
 * Keyed by token. BOUNDED by 1024 tokens, the oldest goes, and 64 arrivals of each.
 */
export class ProbeWatch {
  readonly #arrivals = new Map<ProbeToken, ProbeArrival[]>();

  expect(token: ProbeToken): void {
    const [oldest] = this.#arrivals.keys();
    if (this.#arrivals.size >= tokenCountMax && oldest !== undefined) {
      this.#arrivals.delete(oldest);
    }
    this.#arrivals.set(token, []);
  }

  isExpected(token: ProbeToken): boolean {
    return this.#arrivals.has(token);
  }

  /** Whether somebody waits for it. */
  see(token: ProbeToken, arrival: ProbeArrival): boolean {
    const arrivals = this.#arrivals.get(token);
    if (arrivals !== undefined && arrivals.length < arrivalCountMax) {
      arrivals.push(arrival);
    }
    return arrivals !== undefined;
  }

  /** What arrived, and no more is expected. */
  take(token: ProbeToken): readonly ProbeArrival[] {
    const arrivals = this.#arrivals.get(token) ?? [];
    this.#arrivals.delete(token);
    return arrivals;
  }
}
