const boundsMs = [0.25, 0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000] as const;

/** One column of a histogram: how many took at most `boundMs` and more than the column before. */
export type LatencyColumn = { readonly boundMs: number; readonly count: number };

/** How long answers took, in fixed columns from a quarter of a millisecond to five seconds. */
export class LatencyHistogram {
  readonly #counts = [...boundsMs, Infinity].map(() => 0);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  add(valueMs: number): void {
    const found = boundsMs.findIndex((boundMs) => valueMs <= boundMs);
    const column = found === -1 ? boundsMs.length : found;
    this.#counts[column] = (this.#counts[column] ?? 0) + 1;
    this.#count += 1;
    this.#sumMs += valueMs;
    this.#maxMs = Math.max(this.#maxMs, valueMs);
  }

  /** The last column's bound is `Infinity`. */
  columns(): readonly LatencyColumn[] {
    return this.#counts.map((count, index) => ({ boundMs: boundsMs[index] ?? Infinity, count }));
  }

  get count(): number {
    return this.#count;
  }

  get sumMs(): number {
    return this.#sumMs;
  }

  get maxMs(): number {
    return this.#maxMs;
  }
}
