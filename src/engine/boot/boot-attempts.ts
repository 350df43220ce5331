import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import type { BootProgram, UefiLoader } from "./boot-program.ts";

/** How far the last boot of one network card came. Times are monotonic milliseconds. */
export type BootAttempt = {
  readonly mac: MacAddress;
  /** First EFI program offered in this attempt; `null` for BIOS and for iPXE in the card. */
  readonly uefiLoader: UefiLoader | null;
  /** DHCP `xid` of the request that was answered; retries of one attempt keep it. */
  readonly transactionId: number;
  readonly offeredAtMs: number;
  /** The address the site's DHCP server gave, once we saw it asked for. */
  readonly address: Ipv4Address | null;
  /** The loader was read over TFTP or HTTP from that address. */
  readonly wasLoaderRead: boolean;
  /** The loader ran: it asked for its script, its menu or the kernel. */
  readonly hasLoaderRun: boolean;
  /** Attempts in a row, this one included, whose loader never ran. */
  readonly fruitlessCount: number;
};

const attemptCountMax = 20_000;

/**
 * Remembers the last boot attempt of each network card, in memory only: after a server restart the default order
 * of loaders is tried again.
 *
 * Keyed by MAC, and by address for file reads. BOUNDED by 20 000 entries each; the oldest leaves first.
 */
export class BootAttempts {
  readonly #byMac = new Map<MacAddress, BootAttempt>();
  readonly #macByAddress = new Map<Ipv4Address, MacAddress>();

  find(mac: MacAddress): BootAttempt | null {
    return this.#byMac.get(mac) ?? null;
  }

  /** The card that was seen asking for this address; `null` when its lease was not seen on our segments. */
  findByAddress(address: Ipv4Address): BootAttempt | null {
    const mac = this.#macByAddress.get(address);
    return mac === undefined ? null : this.find(mac);
  }

  /** An offer went out. Scripts do not start an attempt: the loader that asks for one is part of an attempt. */
  noteOffer(offer: AttemptMoment & { readonly mac: MacAddress; readonly program: BootProgram }): void {
    const previous = this.#byMac.get(offer.mac);
    const isScript = offer.program.type === "ipxe-script";
    if (previous !== undefined && isScript) {
      this.noteLoaderRun(offer.mac);
      return;
    }
    if (previous !== undefined && isSameAttempt(previous, offer)) {
      return;
    }
    const { loader: offered } = offer.program;
    const loader = offered === "ipxe" || offered === "shim" ? offered : null;
    const isRepeat = previous?.uefiLoader === loader && !previous.hasLoaderRun;
    this.#put({
      mac: offer.mac,
      uefiLoader: loader,
      transactionId: offer.transactionId,
      offeredAtMs: offer.nowMs,
      address: previous?.address ?? null,
      wasLoaderRead: false,
      hasLoaderRun: isScript,
      fruitlessCount: isRepeat ? previous.fruitlessCount + 1 : 1,
    });
  }

  /** The card asked a DHCP server for `address` (option 50 or `ciaddr`). */
  noteLease(mac: MacAddress, address: Ipv4Address): void {
    if (!this.#byMac.has(mac)) {
      return;
    }
    this.#update(mac, { address });
    this.#macByAddress.delete(address);
    this.#macByAddress.set(address, mac);
    dropOldest(this.#macByAddress);
  }

  /** A network boot program was read to its end from `address`. */
  noteLoaderRead(address: Ipv4Address): void {
    const attempt = this.findByAddress(address);
    if (attempt !== null) {
      this.#update(attempt.mac, { wasLoaderRead: true });
    }
  }

  /** The loader proved that it runs. */
  noteLoaderRun(mac: MacAddress): void {
    this.#update(mac, { hasLoaderRun: true, fruitlessCount: 0 });
  }

  #update(mac: MacAddress, change: Partial<BootAttempt>): void {
    const attempt = this.#byMac.get(mac);
    if (attempt !== undefined) {
      this.#byMac.set(mac, { ...attempt, ...change });
    }
  }

  #put(attempt: BootAttempt): void {
    this.#byMac.delete(attempt.mac);
    this.#byMac.set(attempt.mac, attempt);
    dropOldest(this.#byMac);
  }
}

/** What ties a request to an attempt. */
export type AttemptMoment = {
  readonly port: 67 | 4011;
  readonly transactionId: number;
  readonly nowMs: number;
};

const sameAttemptMs = 2000;
const attemptMsMax = 120_000;

/**
 * Whether a request continues this attempt. A DISCOVER retry keeps its `xid`, a request on 4011 follows from an
 * offer, and another `xid` within two seconds is firmware asking in two ways at once.
 */
export function isSameAttempt(attempt: BootAttempt, request: AttemptMoment): boolean {
  const ageMs = request.nowMs - attempt.offeredAtMs;
  const isTied = request.port === 4011 || attempt.transactionId === request.transactionId;
  return ageMs < sameAttemptMs || (isTied && ageMs < attemptMsMax);
}

function dropOldest<K, V>(map: Map<K, V>): void {
  const [oldest] = map.keys();
  if (map.size > attemptCountMax && oldest !== undefined) {
    map.delete(oldest);
  }
}
