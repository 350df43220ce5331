/** Chunks of one content that are still on their way into the store. Who needs one waits until it is there. */
export class ChunkArrival {
  /** BOUNDED by the content's chunks. */
  readonly #expected: Set<string>;
  /** Keyed by chunk. BOUNDED by the sessions and transfers that read at this moment. */
  readonly #waiting = new Map<string, Set<() => void>>();
  #failure: Error | null = null;

  constructor(chunkHashes: Iterable<string>) {
    this.#expected = new Set(chunkHashes);
  }

  get expectedCount(): number {
    return this.#expected.size;
  }

  isExpected(chunkHash: string): boolean {
    return this.#expected.has(chunkHash);
  }

  /** It is in the store. */
  arrived(chunkHash: string): void {
    this.#expected.delete(chunkHash);
    this.#wake(chunkHash);
  }

  /** Nothing more comes: whoever waits is told why. */
  fail(reason: Error): void {
    this.#failure = reason;
    this.#expected.clear();
    [...this.#waiting.keys()].forEach((chunkHash) => this.#wake(chunkHash));
  }

  /** Until it is in the store. @throws the reason when it will not come */
  async wait(chunkHash: string): Promise<void> {
    if (this.isExpected(chunkHash)) {
      await new Promise<void>((resolve) => {
        const waiting = this.#waiting.get(chunkHash) ?? new Set();
        this.#waiting.set(chunkHash, waiting.add(resolve));
      });
    }
    if (this.#failure !== null) {
      throw this.#failure;
    }
  }

  #wake(chunkHash: string): void {
    this.#waiting.get(chunkHash)?.forEach((resolve) => resolve());
    this.#waiting.delete(chunkHash);
  }
}
