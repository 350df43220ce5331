import { useSyncExternalStore } from "react";
import type { SessionResource } from "#api/session-api.ts";

/** One look at a session: when, and how much had been sent. */
export type SessionSample = {
  readonly atMs: number;
  readonly sentBytes: number;
  readonly rateBytesPerSecond: number;
};

const sampleCountMax = 240;

/** Keyed by session id. BOUNDED by the sessions of this window's life; each by `sampleCountMax`. */
const histories = new Map<number, readonly SessionSample[]>();
const listeners = new Set<() => void>();
const nothing: readonly SessionSample[] = [];

/** Notes how far a session is, for the plots. The rate is of the time since the last look, not the mean. */
export function recordSession({ id, sentBytes }: SessionResource): void {
  const atMs = Date.now();
  const samples = histories.get(id) ?? nothing;
  const last = samples.at(-1);
  const elapsedMs = last === undefined ? 0 : atMs - last.atMs;
  const rate = last === undefined || elapsedMs < 100 ? 0 : ((sentBytes - last.sentBytes) * 1000) / elapsedMs;
  histories.set(id, [
    ...samples.slice(1 - sampleCountMax),
    { atMs, sentBytes, rateBytesPerSecond: Math.max(0, rate) },
  ]);
  listeners.forEach((listener) => listener());
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
