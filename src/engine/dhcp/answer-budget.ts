/** Answers a second that one interface may cause, and how many may come at once. */
export type AnswerRate = { readonly perSecond: number; readonly burst: number };

/** A room of a thousand computers switched on together gets through; a flood does not become a flood of answers. */
export const defaultAnswerRate: AnswerRate = { perSecond: 1000, burst: 2000 };

/** A token bucket in virtual time. */
export class AnswerBudget {
  readonly #rate: AnswerRate;
  #available: number;
  #filledAtMs: number;

  constructor(rate: AnswerRate, nowMs: number) {
    this.#rate = rate;
    this.#available = rate.burst;
    this.#filledAtMs = nowMs;
  }

  /** Takes one answer; `false` when none is left. */
  take(nowMs: number): boolean {
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#filledAtMs = nowMs;
    this.#available = Math.min(this.#rate.burst, this.#available + (elapsedMs * this.#rate.perSecond) / 1000);
    if (this.#available < 1) {
      return false;
    }
    this.#available -= 1;
    return true;
  }
}
