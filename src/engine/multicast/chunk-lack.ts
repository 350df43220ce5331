import { stripeCount } from "#wire/multicast/data-packet.ts";

/** Parity blocks of one stripe, by index. */
export type ParityRange = { readonly stripe: number; readonly from: number; readonly count: number };

/** What to put on the wire of one chunk. */
export type Repair = {
  readonly blocks: readonly number[] | "all";
  readonly parity: readonly ParityRange[];
};

/**
 * What receivers lack of one chunk. Where they lack different blocks of a stripe, as many parity blocks as one of them
 * lacks repair it for all; where they lack the same, the blocks themselves do, and cost nobody arithmetic.
 */
export class ChunkLack {
  /** BOUNDED by the blocks of a chunk. */
  readonly #union = new Set<number>();
  readonly #mostOfStripe: number[] = Array.from({ length: stripeCount }, () => 0);
  #isAll = false;

  addAll(): void {
    this.#isAll = true;
  }

  /** What one receiver lacks. */
  add(blocks: Iterable<number>): void {
    const lackOfStripe: number[] = Array.from({ length: stripeCount }, () => 0);
    for (const block of blocks) {
      const stripe = block % stripeCount;
      lackOfStripe[stripe] = (lackOfStripe[stripe] ?? 0) + 1;
      this.#union.add(block);
    }
    for (const [stripe, count] of lackOfStripe.entries()) {
      this.#mostOfStripe[stripe] = Math.max(this.#mostOfStripe[stripe] ?? 0, count);
    }
  }

  /**
   * @param parityUsed by stripe: parity blocks that have been sent of this chunk; counted up here
   * @param parityCountMax how many a stripe has
   */
  repair(parityUsed: number[], parityCountMax: number): Repair {
    if (this.#isAll) {
      return { blocks: "all", parity: [] };
    }
    const blocks: number[] = [];
    const parity: ParityRange[] = [];
    for (const [stripe, count] of this.#mostOfStripe.entries()) {
      const lacking = [...this.#union].filter((block) => block % stripeCount === stripe);
      const from = parityUsed[stripe] ?? 0;
      if (lacking.length > count && from + count <= parityCountMax) {
        parity.push({ stripe, from, count });
        parityUsed[stripe] = from + count;
      } else {
        blocks.push(...lacking);
      }
    }
    return { blocks: blocks.toSorted((a, b) => a - b), parity };
  }
}
