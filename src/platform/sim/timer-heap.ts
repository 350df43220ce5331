export type Timer = {
  readonly atMs: number;
  /** Of equal times the one registered first comes first. */
  readonly order: number;
  readonly callback: () => void;
  isCancelled: boolean;
};

function isEarlier(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Timers, the earliest first: a binary heap. BOUNDED by what the programs under test register. */
export class TimerHeap {
  readonly #timers: Timer[] = [];

  /** The earliest that is not cancelled, left in place. */
  peek(): Timer | undefined {
    while (this.#timers[0]?.isCancelled === true) {
      this.take();
    }
    return this.#timers[0];
  }

  add(timer: Timer): void {
    let index = this.#timers.push(timer) - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#timers[parentIndex];
      if (parent === undefined || !isEarlier(timer, parent)) {
        break;
      }
      this.#timers[index] = parent;
      index = parentIndex;
    }
    this.#timers[index] = timer;
  }

  /** Removes the earliest, cancelled or not. */
  take(): Timer | undefined {
    const first = this.#timers[0];
    const last = this.#timers.pop();
    if (last !== undefined && last !== first) {
      this.#sink(last);
    }
    return first;
  }

  /** Puts `timer` where the first one was, and below all that are earlier. */
  #sink(timer: Timer): void {
    let index = 0;
    for (;;) {
      const leftIndex = 2 * index + 1;
      const left = this.#timers[leftIndex];
      const right = this.#timers[leftIndex + 1];
      const [childIndex, child] =
        left !== undefined && right !== undefined && isEarlier(right, left)
          ? [leftIndex + 1, right]
          : [leftIndex, left];
      if (child === undefined || isEarlier(timer, child)) {
        break;
      }
      this.#timers[index] = child;
      index = childIndex;
    }
    this.#timers[index] = timer;
  }
}
