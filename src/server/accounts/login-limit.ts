const windowMs = 15 * 60_000;
const failuresPerNameMax = 10;
const failuresPerAddressMax = 30;
const keyCountMax = 10_000;

/** How many guesses are allowed: few for one name, some more from one address, within a quarter of an hour. */
export class LoginLimit {
  /** Times of failures by `name:…` or `address:…`. BOUNDED by `keyCountMax` keys: the oldest key goes. */
  readonly #failures = new Map<string, number[]>();

  /** How long to wait before the next guess; 0 for none. */
  waitMs(name: string, address: string, nowMs: number): number {
    return Math.max(
      this.#waitOf(`name:${name}`, failuresPerNameMax, nowMs),
      this.#waitOf(`address:${address}`, failuresPerAddressMax, nowMs),
    );
  }

  fail(name: string, address: string, nowMs: number): void {
    this.#add(`name:${name}`, nowMs);
    this.#add(`address:${address}`, nowMs);
  }

  /** A right password clears the name, not the address: others may sit behind it. */
  succeed(name: string): void {
    this.#failures.delete(`name:${name}`);
  }

  #waitOf(key: string, countMax: number, nowMs: number): number {
    const recent = (this.#failures.get(key) ?? []).filter((atMs) => atMs > nowMs - windowMs);
    const first = recent.at(-countMax);
    return first === undefined ? 0 : first + windowMs - nowMs;
  }

  #add(key: string, nowMs: number): void {
    const recent = (this.#failures.get(key) ?? []).filter((atMs) => atMs > nowMs - windowMs);
    this.#failures.delete(key);
    this.#failures.set(key, [...recent.slice(-failuresPerAddressMax), nowMs]);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > keyCountMax && oldest !== undefined) {
      this.#failures.delete(oldest);
    }
  }
}
