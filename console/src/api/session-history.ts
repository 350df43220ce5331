import { useSyncExternalStore } from "react";
import type { SessionResource } from "#api/session-api.ts";

/** One look at a session, and what had changed since the one before. */
export type SessionSample = {
  readonly atMs: number;
  readonly sentBytes: number;
  /** Of all receivers together. */
  readonly expectedCount: number;
  readonly lostCount: number;
  readonly rateBytesPerSecond: number;
  /** Per cent of what the receivers should have had since the last look. */
  readonly lossPercent: number;
};

type Seen = Pick<SessionResource, "sentBytes" | "receivers">;

/** Two looks closer than this are one: events come in bunches, and a rate over nothing is noise. */
const sampleDelayMs = 400;
const sampleCountMax = 240;

/** Adds a look; too soon after the last one it is left for the next. BOUNDED by `sampleCountMax`. */
export function addSample(
  samples: readonly SessionSample[],
  { sentBytes, receivers }: Seen,
  atMs: number,
): readonly SessionSample[] {
  const last = samples.at(-1);
  const elapsedMs = last === undefined ? 0 : atMs - last.atMs;
  if (last !== undefined && elapsedMs < sampleDelayMs) {
    return samples;
  }
  const expectedCount = receivers.reduce((sum, receiver) => sum + receiver.expectedCount, 0);
  const lostCount = receivers.reduce((sum, receiver) => sum + receiver.lostCount, 0);
  const newBytes = last === undefined ? 0 : Math.max(0, sentBytes - last.sentBytes);
  const newExpected = last === undefined ? 0 : expectedCount - last.expectedCount;
  const newLost = last === undefined ? 0 : Math.max(0, lostCount - last.lostCount);
  return [
    ...samples.slice(1 - sampleCountMax),
    {
      atMs,
      sentBytes,
      expectedCount,
      lostCount,
      rateBytesPerSecond: elapsedMs === 0 ? 0 : (newBytes * 1000) / elapsedMs,
      lossPercent: newExpected <= 0 ? 0 : Math.min(100, (100 * newLost) / newExpected),
    },
  ];
}

/** Keyed by session id. BOUNDED by the sessions of this window's life. */
const histories = new Map<number, readonly SessionSample[]>();
const listeners = new Set<() => void>();
const nothing: readonly SessionSample[] = [];

/** Notes how far a session is, for the plots. */
export function recordSession(session: SessionResource): void {
  const samples = histories.get(session.id) ?? nothing;
  const next = addSample(samples, session, Date.now());
  if (next !== samples) {
    histories.set(session.id, next);
    listeners.forEach((listener) => listener());
  }
}

export function useSessionHistory(id: number): readonly SessionSample[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => histories.get(id) ?? nothing,
  );
}
