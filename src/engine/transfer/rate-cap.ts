/** Bytes that may go at once after a pause: half a second's worth keeps the link busy without bursts that hurt. */
const burstMs = 500;

/** Holds a flow of bytes to a rate: says how long to wait before the next of them. */
export class RateCap {
  /** When everything let through so far will have been sent at the rate. */
  #paidUntilMs = 0;

  /**
   * @param megabitsPerSecond 0 for no cap
   * @param nowMs monotonic milliseconds
   * @returns milliseconds to wait before sending so many bytes
   */
  take(sizeBytes: number, megabitsPerSecond: number, nowMs: number): number {
    if (megabitsPerSecond === 0) {
      this.#paidUntilMs = nowMs;
      return 0;
    }
    const costMs = (sizeBytes * 8) / (megabitsPerSecond * 1000);
    this.#paidUntilMs = Math.max(this.#paidUntilMs, nowMs - burstMs) + costMs;
    return Math.max(0, this.#paidUntilMs - nowMs);
  }
}
