/** Wrong passwords in a row, and until when no further is looked at. */
export type LockAttempts = { readonly wrongCount: number; readonly blockedUntilMs: number };

export const noAttempts: LockAttempts = { wrongCount: 0, blockedUntilMs: 0 };

const wrongCountMax = 5;
const blockMs = 15 * 60_000;

/** How long no password is looked at; 0: now. A clock that was set back blocks for one full time at most. */
export function blockedForMs(attempts: LockAttempts, nowMs: number): number {
  const leftMs = attempts.blockedUntilMs - nowMs;
  return leftMs <= 0 ? 0 : Math.min(leftMs, blockMs);
}

/**
 * Counts a try as wrong. Written down before the password is looked at, so that a program that is killed in the middle
 * has had its try; a right one clears the count.
 */
export function countAttempt(attempts: LockAttempts, nowMs: number): LockAttempts {
  const wrongCount = attempts.wrongCount + 1;
  return wrongCount < wrongCountMax
    ? { wrongCount, blockedUntilMs: 0 }
    : { wrongCount: 0, blockedUntilMs: nowMs + blockMs };
}
