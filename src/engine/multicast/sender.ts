import { fromRanges, type MissingBlocks, type Ranges } from "#wire/control/imaging-messages.ts";

/** What to put on the wire next: all blocks of a chunk, or some. */
export type SendUnit = { readonly chunkIndex: number; readonly blocks: readonly number[] | "all" };

export type SenderLimits = {
  /** Datagrams that may be unreported. */
  readonly windowMax: number;
  readonly windowMin: number;
  /** Mbit/s on the wire; 0 for no cap. */
  readonly maxMbps: number;
  readonly datagramSizeBytes: number;
  /** Nothing reported for this long means the tail was lost: go on with half the window. */
  readonly stallMs: number;
  /** A receiver that reports nothing for this long is sent away to unicast. */
  readonly silenceMs: number;
  /** A receiver that alone holds the others up for this much of `judgeMs` is sent away to unicast. */
  readonly judgeMs: number;
};

export const defaultSenderLimits: SenderLimits = {
  windowMax: 4096,
  /** More than a receiver takes before it reports, or each window would wait for its timer. */
  windowMin: 128,
  maxMbps: 0,
  datagramSizeBytes: 1466,
  stallMs: 400,
  silenceMs: 15_000,
  judgeMs: 10_000,
};

export type LeftReason = "done" | "failed" | "silent" | "too-slow";

/*
 * Loss is judged over this many datagrams: over fewer, one lost datagram of a noisy cable looks like congestion, and
 * giving way to it stops a session at two in a hundred.
 */
const lossSampleCount = 256;
const congestionLossRate = 0.06;
const noiseLossRate = 0.035;

type Receiver = {
  sequence: number;
  /** Where the current sample of its loss began. */
  sampledSequence: number;
  sampledLost: number;
  reportedAtMs: number;
  /** Round it has answered. */
  answeredRound: number;
  /** Milliseconds for which it alone kept the sender waiting, since `judgedAtMs`. */
  heldUpMs: number;
};

/**
 * Decides what one session sends and how fast. Receivers say what they lack, the sender sends the union of that, no
 * faster than the slowest of them reports; then it asks what is still missing, until nothing is.
 */
export class MulticastSender {
  readonly #limits: SenderLimits;
  readonly #chunkCount: number;
  /** Keyed by receiver. BOUNDED by the computers of the job. */
  readonly #receivers = new Map<string, Receiver>();
  /** Keyed by chunk. BOUNDED by the manifest. */
  #queue = new Map<number, Set<number> | "all">();
  #nextRound = new Map<number, Set<number> | "all">();
  #round = 1;
  #sentSequence = 0;
  /** Sequence from which datagrams in flight are counted; moved up when a stall writes them off. */
  #writtenOffSequence = 0;
  #window: number;
  #lossAtSequence = 0;
  #blockedSinceMs: number | null = null;
  #judgedAtMs: number;
  #tokens = 0;
  #tokensAtMs: number;
  #isAsking = false;

  constructor(chunkCount: number, limits: SenderLimits, nowMs: number) {
    this.#limits = limits;
    this.#chunkCount = chunkCount;
    this.#window = Math.min(128, limits.windowMax);
    this.#judgedAtMs = nowMs;
    this.#tokensAtMs = nowMs;
  }

  get round(): number {
    return this.#round;
  }

  get sentSequence(): number {
    return this.#sentSequence;
  }

  get receiverCount(): number {
    return this.#receivers.size;
  }

  /** Adds a receiver, before the start or in the middle; what it lacks and this round still brings counts for it. */
  join(receiverId: string, wanted: Ranges, nowMs: number): void {
    this.#receivers.set(receiverId, {
      sequence: this.#sentSequence,
      sampledSequence: this.#sentSequence,
      sampledLost: 0,
      reportedAtMs: nowMs,
      answeredRound: this.#round - 1,
      heldUpMs: 0,
    });
    for (const chunk of fromRanges(wanted, this.#chunkCount)) {
      this.#queue.set(chunk, "all");
    }
  }

  leave(receiverId: string): void {
    this.#receivers.delete(receiverId);
  }

  report(receiverId: string, sequence: number, lost: number, nowMs: number): void {
    const receiver = this.#receivers.get(receiverId);
    if (receiver === undefined) {
      return;
    }
    receiver.reportedAtMs = nowMs;
    receiver.sequence = Math.max(receiver.sequence, Math.min(sequence, this.#sentSequence));
    const { windowMax, windowMin } = this.#limits;
    const sampleCount = receiver.sequence - receiver.sampledSequence;
    if (sampleCount < lossSampleCount) {
      return;
    }
    const lossRate = Math.max(0, lost - receiver.sampledLost) / sampleCount;
    receiver.sampledSequence = receiver.sequence;
    receiver.sampledLost = lost;
    if (lossRate > congestionLossRate) {
      // Once for what was in flight: the others report the same overflow.
      if (receiver.sequence > this.#lossAtSequence) {
        this.#window = Math.max(windowMin, Math.floor(this.#window * 0.6));
        this.#lossAtSequence = this.#sentSequence;
      }
    } else if (lossRate < noiseLossRate) {
      this.#window = Math.min(windowMax, this.#window + 64);
    }
  }

  /** The answer to a round's end. */
  missing(
    receiverId: string,
    round: number,
    chunks: Ranges,
    blocks: readonly MissingBlocks[],
    nowMs: number,
  ): void {
    const receiver = this.#receivers.get(receiverId);
    if (receiver === undefined || round !== this.#round) {
      return;
    }
    receiver.answeredRound = round;
    receiver.reportedAtMs = nowMs;
    receiver.sequence = this.#sentSequence;
    for (const chunk of fromRanges(chunks, this.#chunkCount)) {
      this.#nextRound.set(chunk, "all");
    }
    for (const [chunk, ranges] of blocks) {
      if (chunk < 0 || chunk >= this.#chunkCount || this.#nextRound.get(chunk) === "all") {
        continue;
      }
      const wanted = this.#nextRound.get(chunk);
      const set = wanted === undefined || wanted === "all" ? new Set<number>() : wanted;
      for (const block of fromRanges(ranges, 65_536)) {
        set.add(block);
      }
      this.#nextRound.set(chunk, set);
    }
  }

  /** Datagrams that may go now. */
  budget(nowMs: number): number {
    const { windowMin, stallMs, maxMbps, datagramSizeBytes } = this.#limits;
    let budget = this.#window - (this.#sentSequence - this.#reportedSequence());
    if (budget <= 0) {
      this.#blockedSinceMs ??= nowMs;
      if (nowMs - this.#blockedSinceMs >= stallMs) {
        this.#blockedSinceMs = null;
        this.#writtenOffSequence = this.#sentSequence;
        this.#window = Math.max(windowMin, Math.floor(this.#window / 2));
        budget = this.#window;
      }
    } else {
      this.#blockedSinceMs = null;
    }
    if (maxMbps > 0) {
      const perMs = (maxMbps * 1000) / 8 / datagramSizeBytes;
      this.#tokens = Math.min(this.#tokens + (nowMs - this.#tokensAtMs) * perMs, perMs * 50 + 1);
      budget = Math.min(budget, Math.floor(this.#tokens));
    }
    this.#tokensAtMs = nowMs;
    return Math.max(0, budget);
  }

  /** The next unit of this round, or `null` when the round has nothing left. */
  next(): SendUnit | null {
    for (const [chunkIndex, blocks] of this.#queue) {
      this.#queue.delete(chunkIndex);
      return { chunkIndex, blocks: blocks === "all" ? "all" : [...blocks].toSorted((a, b) => a - b) };
    }
    return null;
  }

  /** Numbers the datagram that is sent now. */
  takeSequence(): number {
    this.#sentSequence += 1;
    this.#tokens -= 1;
    return this.#sentSequence;
  }

  /** The round is sent: ask every receiver what it lacks. */
  askRound(): void {
    this.#isAsking = true;
  }

  get isAsking(): boolean {
    return this.#isAsking;
  }

  /** Whether every receiver has answered; then the next round begins, unless nothing is missing. */
  finishRound(): "waiting" | "next-round" | "complete" {
    if ([...this.#receivers.values()].some((receiver) => receiver.answeredRound < this.#round)) {
      return "waiting";
    }
    this.#isAsking = false;
    this.#round += 1;
    for (const [chunk, blocks] of this.#nextRound) {
      this.#queue.set(chunk, blocks);
    }
    this.#nextRound = new Map();
    return this.#queue.size === 0 ? "complete" : "next-round";
  }

  /**
   * Receivers that must go on by unicast, with the reason. Call about every second.
   *
   * @param elapsedMs since the last call
   */
  judge(nowMs: number, elapsedMs: number): { readonly receiverId: string; readonly reason: LeftReason }[] {
    const { silenceMs, judgeMs } = this.#limits;
    const gone = [...this.#receivers]
      .filter(([, receiver]) => nowMs - receiver.reportedAtMs > silenceMs)
      .map(([receiverId]) => ({ receiverId, reason: "silent" as const }));
    const bySequence = [...this.#receivers].toSorted(([, a], [, b]) => a.sequence - b.sequence);
    const [slowest, second] = bySequence;
    if (slowest !== undefined && second !== undefined && this.#blockedSinceMs !== null) {
      // It alone is behind: the second slowest is within a quarter of the window.
      if (second[1].sequence - slowest[1].sequence > this.#window * 0.75) {
        slowest[1].heldUpMs += elapsedMs;
      }
    }
    const tooSlow = [...this.#receivers]
      .filter(([, receiver]) => receiver.heldUpMs > judgeMs * 0.7)
      .map(([receiverId]) => ({ receiverId, reason: "too-slow" as const }));
    if (nowMs - this.#judgedAtMs > judgeMs) {
      this.#judgedAtMs = nowMs;
      for (const receiver of this.#receivers.values()) {
        receiver.heldUpMs = 0;
      }
    }
    return [
      ...gone,
      ...tooSlow.filter(({ receiverId }) => !gone.some((item) => item.receiverId === receiverId)),
    ];
  }

  /** What the slowest receiver has reported, or what was written off after that. */
  #reportedSequence(): number {
    let lowest = this.#sentSequence;
    for (const receiver of this.#receivers.values()) {
      lowest = Math.min(lowest, receiver.sequence);
    }
    return Math.max(lowest, this.#writtenOffSequence);
  }
}
