import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { AddressRange } from "#plan/settings.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";

export type Lease = {
  readonly address: Ipv4Address;
  /** Whose it is or was; `null` for an address that somebody uses without a lease. */
  readonly mac: MacAddress | null;
  readonly state: "offered" | "bound" | "declined";
  /** Epoch milliseconds. Afterwards another computer may have the address. */
  readonly untilMs: number;
};

export const leaseDurationMs = 3_600_000;
/** An offer nobody takes is free again when the slowest firmware has stopped asking. PXE 2.1: 60 s */
const offerDurationMs = 60_000;
/** How long an address is left alone that a computer found in use. */
const declinedDurationMs = 3_600_000;

/**
 * The addresses of one segment and who has them. A computer is known by its card alone, not by its client identifier:
 * firmware, boot loader and operating system each call themselves something else and must still get one address.
 *
 * Keyed by address. BOUNDED by the ranges, which the setting bounds.
 */
export class LeaseTable {
  /** In the order in which they are given. */
  readonly #addresses: ReadonlySet<Ipv4Address>;
  readonly #byAddress = new Map<Ipv4Address, Lease>();
  readonly #byMac = new Map<MacAddress, Ipv4Address>();

  /** @param kept leases of an earlier life; those outside the ranges are forgotten */
  constructor(ranges: readonly AddressRange[], kept: readonly Lease[]) {
    this.#addresses = new Set(
      ranges.flatMap(({ from, to }) => {
        const first = Ipv4Address.toNumber(from);
        const count = Ipv4Address.toNumber(to) - first + 1;
        return Array.from({ length: count }, (_, index) => Ipv4Address.fromNumber(first + index));
      }),
    );
    for (const lease of kept.filter(({ address }) => this.#addresses.has(address))) {
      this.#put(lease);
    }
  }

  get sizeCount(): number {
    return this.#addresses.size;
  }

  /**
   * The address to offer: the one it has, else the one it asks for, else one that nobody has had, else the one whose
   * lease ended first. `null` when all are taken.
   */
  offer(mac: MacAddress, wanted: Ipv4Address | null, nowMs: number): Lease | null {
    const address = this.#choose(mac, wanted, nowMs);
    if (address === null) {
      return null;
    }
    const held = this.#byAddress.get(address);
    const isItsOwn = held?.mac === mac && held.state === "bound" && held.untilMs > nowMs;
    return isItsOwn ? held : this.#put({ address, mac, state: "offered", untilMs: nowMs + offerDurationMs });
  }

  /** Gives or prolongs a lease; `null` when the address is not to be had by this computer. */
  bind(mac: MacAddress, address: Ipv4Address, nowMs: number): Lease | null {
    return this.#isFor(mac, address, nowMs)
      ? this.#put({ address, mac, state: "bound", untilMs: nowMs + leaseDurationMs })
      : null;
  }

  /** The computer has no use for its address any more. `null` when it had none. */
  release(mac: MacAddress, address: Ipv4Address, nowMs: number): Lease | null {
    const held = this.#byAddress.get(address);
    return held?.mac === mac ? this.#put({ ...held, untilMs: nowMs }) : null;
  }

  /** The computer found somebody else at the address it was given. */
  decline(mac: MacAddress, address: Ipv4Address, nowMs: number): Lease | null {
    const held = this.#byAddress.get(address);
    if (held?.mac !== mac) {
      return null;
    }
    this.#byMac.delete(mac);
    return this.#put({ address, mac: null, state: "declined", untilMs: nowMs + declinedDurationMs });
  }

  #choose(mac: MacAddress, wanted: Ipv4Address | null, nowMs: number): Ipv4Address | null {
    const own = this.#byMac.get(mac);
    if (own !== undefined && this.#isFor(mac, own, nowMs)) {
      return own;
    }
    if (wanted !== null && this.#isFor(mac, wanted, nowMs)) {
      return wanted;
    }
    const free = [...this.#addresses].filter((address) => this.#isFor(mac, address, nowMs));
    const endedAtMs = (address: Ipv4Address): number => this.#byAddress.get(address)?.untilMs ?? 0;
    return free.toSorted((a, b) => endedAtMs(a) - endedAtMs(b))[0] ?? null;
  }

  #isFor(mac: MacAddress, address: Ipv4Address, nowMs: number): boolean {
    const held = this.#byAddress.get(address);
    return held === undefined ? this.#addresses.has(address) : held.mac === mac || held.untilMs <= nowMs;
  }

  #put(lease: Lease): Lease {
    const before = this.#byAddress.get(lease.address);
    if (before?.mac != null && before.mac !== lease.mac && this.#byMac.get(before.mac) === lease.address) {
      this.#byMac.delete(before.mac);
    }
    this.#byAddress.set(lease.address, lease);
    if (lease.mac !== null) {
      this.#byMac.set(lease.mac, lease.address);
    }
    return lease;
  }
}
