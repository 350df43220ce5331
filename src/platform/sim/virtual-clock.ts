import { setImmediate as yieldToPromises } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import { type Timer, TimerHeap } from "./timer-heap.ts";

/** Callbacks of one instant that only ever cause more at the same instant are a loop, and stop the run. */
const instantCallbackCountMax = 100_000;

/**
 * Time that moves only when told. Callbacks run in order of time, then of registration; promises that they settle
 * run on before the next instant.
 */
export class VirtualClock implements Clock {
  readonly #epochStartMs: number;
  readonly #timers = new TimerHeap();
  #nowMs = 0;
  #nextOrder = 0;

  constructor(epochStartMs = Date.UTC(2026, 0, 1)) {
    this.#epochStartMs = epochStartMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  epochMs(): number {
    return this.#epochStartMs + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#nextOrder,
      callback,
      isCancelled: false,
    };
    this.#nextOrder += 1;
    this.#timers.add(timer);
    return () => {
      timer.isCancelled = true;
    };
  }

  /** Moves time on by `durationMs` and runs everything that falls due. */
  async advance(durationMs: number): Promise<void> {
    const endAtMs = this.#nowMs + durationMs;
    await yieldToPromises();
    for (let due = this.#nextDueMs(); due !== null && due <= endAtMs; due = this.#nextDueMs()) {
      await this.#runInstant(due);
    }
    this.#nowMs = endAtMs;
  }

  /**
   * Runs until no timer is left, or `limitMs` of virtual time have passed.
   *
   * @returns whether it became idle
   */
  async runUntilIdle(limitMs = 3_600_000): Promise<boolean> {
    const endAtMs = this.#nowMs + limitMs;
    await yieldToPromises();
    for (let due = this.#nextDueMs(); due !== null; due = this.#nextDueMs()) {
      if (due > endAtMs) {
        this.#nowMs = endAtMs;
        return false;
      }
      await this.#runInstant(due);
    }
    return true;
  }

  #nextDueMs(): number | null {
    return this.#timers.peek()?.atMs ?? null;
  }

  async #runInstant(atMs: number): Promise<void> {
    this.#nowMs = atMs;
    let callbackCount = 0;
    while (this.#nextDueMs() === atMs) {
      // Promises get their turn between rounds: what a round registers for now belongs to the next one.
      for (const timer of this.#takeDue(atMs)) {
        if (!timer.isCancelled) {
          timer.callback();
        }
        callbackCount += 1;
      }
      if (callbackCount > instantCallbackCountMax) {
        throw new Error(`time stands still at ${atMs} ms: callbacks keep asking for a delay of 0`);
      }
      await yieldToPromises();
    }
  }

  #takeDue(atMs: number): Timer[] {
    const due: Timer[] = [];
    while (this.#nextDueMs() === atMs) {
      const timer = this.#timers.take();
      if (timer !== undefined) {
        due.push(timer);
      }
    }
    return due;
  }
}
