/** Pauses between two attempts to reach the server. */
export type RetryLimits = {
  readonly firstMs: number;
  readonly maxMs: number;
  /** A connection that stood this long begins the pauses anew. */
  readonly provenMs: number;
};

export const defaultRetryLimits: RetryLimits = { firstMs: 500, maxMs: 30_000, provenMs: 30_000 };

/**
 * How many attempts in a row did not last, after one more that stood for `stoodMs`. 0 means: as if just started.
 */
export function countFailures(failuresBefore: number, stoodMs: number, limits: RetryLimits): number {
  return stoodMs >= limits.provenMs ? 0 : Math.min(failuresBefore + 1, 32);
}

/**
 * The pause before the next attempt: doubled with each failure up to the limit, and spread by `jitter` (0 to 1, passed in)
 * over its upper half, so that a room that lost its server together does not come back together. After a connection that
 * had proven itself the spread is over the whole first second, for the same reason.
 */
export function retryDelayMs(failures: number, jitter: number, limits: RetryLimits): number {
  if (failures === 0) {
    return Math.round(limits.firstMs * 2 * jitter);
  }
  const ceilingMs = Math.min(limits.maxMs, limits.firstMs * 2 ** (failures - 1));
  return Math.round(ceilingMs / 2 + (ceilingMs / 2) * jitter);
}
