import type { Logger } from "pino";
import type { BootEvent } from "#engine/boot/boot-event.ts";
import type { Clock } from "#platform/clock.ts";

/** Where boot events are kept. May be slow and may fail; nobody waits for it. */
export type BootEventSink = (events: readonly BootEvent[]) => Promise<void>;

export type BootEventRecorderOptions = {
  /** Events held while the sink is slow or down. Default 10 000. */
  readonly queueCountMax?: number;
  /** Time in which events gather, so that a burst is answered before it is written down. Default 100. */
  readonly gatherDelayMs?: number;
  /** Events handed to the sink at once; between batches everybody else has a turn. Default 100. */
  readonly batchCountMax?: number;
  /** Wait after a failure of the sink. Default 2000. */
  readonly retryDelayMs?: number;
};

export type BootEventRecorderDependencies = {
  readonly sink: BootEventSink;
  readonly clock: Clock;
  readonly log: Logger;
};

/**
 * Takes boot events from the services without ever making them wait, and hands them to the store in batches.
 *
 * A queue in order of arrival, BOUNDED by `queueCountMax`: when the store stays away longer than that, the newest
 * events are dropped and counted, since the first step of a boot explains more than its repetitions.
 */
export class BootEventRecorder {
  readonly #dependencies: BootEventRecorderDependencies;
  readonly #queueCountMax: number;
  readonly #batchCountMax: number;
  readonly #gatherDelayMs: number;
  readonly #retryDelayMs: number;
  #queue: BootEvent[] = [];
  #writing: Promise<boolean> | null = null;
  #isStopped = false;
  #cancelRetry: (() => void) | null = null;
  #droppedCount = 0;
  #writtenCount = 0;

  constructor(options: BootEventRecorderOptions, dependencies: BootEventRecorderDependencies) {
    this.#dependencies = dependencies;
    this.#queueCountMax = options.queueCountMax ?? 10_000;
    this.#batchCountMax = options.batchCountMax ?? 100;
    this.#gatherDelayMs = options.gatherDelayMs ?? 100;
    this.#retryDelayMs = options.retryDelayMs ?? 2000;
  }

  /** Events lost because the queue was full. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  get writtenCount(): number {
    return this.#writtenCount;
  }

  get waitingCount(): number {
    return this.#queue.length;
  }

  /** Returns at once, whatever the store does. */
  record(event: BootEvent): void {
    if (this.#isStopped || this.#queue.length >= this.#queueCountMax) {
      this.#droppedCount += 1;
      return;
    }
    this.#queue.push(event);
    if (this.#writing === null && this.#cancelRetry === null) {
      this.#schedule(this.#gatherDelayMs);
    }
  }

  /** Writes what is waiting, once; what the store refuses then is counted as dropped. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    let isAccepted = (await this.#writing) ?? true;
    while (isAccepted && this.#queue.length > 0) {
      isAccepted = await this.#writeBatch();
    }
    this.#droppedCount += this.#queue.length;
    this.#queue = [];
  }

  #schedule(delayMs: number): void {
    this.#cancelRetry = this.#dependencies.clock.after(delayMs, () => {
      this.#cancelRetry = null;
      void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    const isAccepted = await this.#writeBatch();
    if (this.#queue.length > 0 && !this.#isStopped) {
      this.#schedule(isAccepted ? 0 : this.#retryDelayMs);
    }
  }

  /** `false` when the sink failed; the batch is then still in front of the queue. */
  #writeBatch(): Promise<boolean> {
    const batch = this.#queue.slice(0, this.#batchCountMax);
    this.#writing = this.#tryWrite(batch).finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #tryWrite(batch: readonly BootEvent[]): Promise<boolean> {
    try {
      await this.#dependencies.sink(batch);
      this.#queue.splice(0, batch.length);
      this.#writtenCount += batch.length;
      return true;
    } catch (error) {
      this.#dependencies.log.warn(
        { err: error, waiting: this.#queue.length },
        "boot events wait for the store",
      );
      return false;
    }
  }
}
