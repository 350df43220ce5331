const keyCountMax = 10_000;

/** A bucket for each caller: so many requests at once, and so many a second for good. */
export class RequestRate {
  readonly #burst: number;
  readonly #perSecond: number;
  /** What is left in each bucket, and since when. BOUNDED by `keyCountMax`: who was quiet the longest goes. */
  readonly #buckets = new Map<string, { left: number; atMs: number }>();

  constructor(options: { readonly burst: number; readonly perSecond: number }) {
    this.#burst = options.burst;
    this.#perSecond = options.perSecond;
  }

  /** Takes one; answers how long to wait when none is left, 0 when there was one. */
  take(key: string, nowMs: number): number {
    const left = this.#leftOf(key, nowMs);
    this.#keep(key, Math.max(0, left - 1), nowMs);
    return left >= 1 ? 0 : Math.ceil(((1 - left) * 1000) / this.#perSecond);
  }

  /** As `take`, without taking. */
  waitMs(key: string, nowMs: number): number {
    const left = this.#leftOf(key, nowMs);
    return left >= 1 ? 0 : Math.ceil(((1 - left) * 1000) / this.#perSecond);
  }

  #leftOf(key: string, nowMs: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      return this.#burst;
    }
    const refilled = bucket.left + (Math.max(0, nowMs - bucket.atMs) * this.#perSecond) / 1000;
    return Math.min(this.#burst, refilled);
  }

  #keep(key: string, left: number, nowMs: number): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, { left, atMs: nowMs });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > keyCountMax && oldest !== undefined) {
      this.#buckets.delete(oldest);
    }
  }
}
