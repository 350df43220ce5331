import type { BootEvent } from "#engine/boot/boot-event.ts";
import type { RelaySighting } from "#plan/segment.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";

const sightingCountMax = 1024;

/** DHCP relays that requests came through, answered or not, and the address of ours they came in on. */
export class RelaySightings {
  readonly #configured: readonly Ipv4Address[];
  /** Keyed by relay. BOUNDED by `sightingCountMax`: the one that was silent longest is forgotten. */
  readonly #seen = new Map<Ipv4Address, Ipv4Address>();

  constructor(configured: readonly Ipv4Address[]) {
    this.#configured = configured;
  }

  note({ relay, serverAddress }: Pick<BootEvent, "relay" | "serverAddress">): void {
    if (relay === null) {
      return;
    }
    this.#seen.delete(relay.address);
    this.#seen.set(relay.address, serverAddress);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > sightingCountMax && oldest !== undefined) {
      this.#seen.delete(oldest);
    }
  }

  list(): RelaySighting[] {
    const silent = this.#configured.filter((address) => !this.#seen.has(address));
    return [
      ...[...this.#seen].map(([relayAddress, serverAddress]) => ({
        relayAddress,
        serverAddress,
        isConfigured: this.#configured.includes(relayAddress),
      })),
      ...silent.map((relayAddress) => ({ relayAddress, serverAddress: null, isConfigured: true })),
    ];
  }
}
