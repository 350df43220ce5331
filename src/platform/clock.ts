/** Time as programs see it. Real or virtual; engines get `nowMs` as an argument and never a clock. */
export type Clock = {
  /** Monotonic milliseconds since an arbitrary start. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch, for records people read. */
  epochMs(): number;
  /** Calls back once; returns the cancel function. */
  after(delayMs: number, callback: () => void): () => void;
};

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  epochMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
