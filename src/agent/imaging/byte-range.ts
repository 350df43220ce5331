/** A piece of a disk. */
export type ByteRange = { readonly startBytes: number; readonly sizeBytes: number };

/** In order, joined where they touch or overlap. */
export function mergeRanges(ranges: readonly ByteRange[]): ByteRange[] {
  const merged: { startBytes: number; sizeBytes: number }[] = [];
  for (const range of ranges.toSorted((a, b) => a.startBytes - b.startBytes)) {
    const last = merged.at(-1);
    if (last !== undefined && range.startBytes <= last.startBytes + last.sizeBytes) {
      last.sizeBytes = Math.max(last.sizeBytes, range.startBytes + range.sizeBytes - last.startBytes);
    } else if (range.sizeBytes > 0) {
      merged.push({ ...range });
    }
  }
  return merged;
}

/** Walks merged ranges in step with windows that only go forward. */
export class RangeCursor {
  readonly #ranges: readonly ByteRange[];
  #index = 0;

  constructor(ranges: readonly ByteRange[]) {
    this.#ranges = ranges;
  }

  /** The parts of the ranges inside the window, in order. */
  within(startBytes: number, endBytes: number): ByteRange[] {
    const found: ByteRange[] = [];
    while (this.#index < this.#ranges.length) {
      const range = this.#ranges[this.#index];
      if (range === undefined || range.startBytes >= endBytes) {
        break;
      }
      const rangeEnd = range.startBytes + range.sizeBytes;
      const from = Math.max(range.startBytes, startBytes);
      const to = Math.min(rangeEnd, endBytes);
      if (to > from) {
        found.push({ startBytes: from, sizeBytes: to - from });
      }
      if (rangeEnd > endBytes) {
        break;
      }
      this.#index += 1;
    }
    return found;
  }
}
