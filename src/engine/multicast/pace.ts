export type PaceLimits = {
  /** Datagrams that may be unreported. */
  readonly windowMax: number;
  readonly windowMin: number;
  /** Mbit/s on the wire; 0 for no cap. */
  readonly maxMbps: number;
  readonly datagramSizeBytes: number;
  /** Blocked for this long means the tail was lost: go on with half the window. */
  readonly stallMs: number;
  /** A receiver that reports nothing for this long is sent away to unicast. */
  readonly silenceMs: number;
  /** A receiver that holds the others up for 0.7 of this time is sent away to unicast. */
  readonly judgeMs: number;
};

/*
 * Loss is judged over this many datagrams: over fewer, one lost datagram of a noisy cable looks like congestion, and
 * giving way to it stops a session at two in a hundred.
 */
const lossSampleCount = 256;
const congestionLossRate = 0.06;
const noiseLossRate = 0.035;

type Progress = {
  sequence: number;
  /** Where the current sample of its loss began. */
  sampledSequence: number;
  sampledLost: number;
  /** Its last sample was of a congested link. */
  isLossy: boolean;
  reportedAtMs: number;
  /** Milliseconds for which it, and few others, kept the sender waiting or lost much, since `judgedAtMs`. */
  heldUpMs: number;
};

/**
 * How fast a session sends: a window over what the slowest receiver has reported, smaller on congestion, and under a
 * cap where one is set.
 */
export class Pace {
  readonly #limits: PaceLimits;
  /** Keyed by receiver. BOUNDED by the computers of the job. */
  readonly #receivers = new Map<string, Progress>();
  #sentSequence = 0;
  /** Sequence from which datagrams in flight are counted; moved up when a stall writes them off. */
  #writtenOffSequence = 0;
  #window: number;
  #lossAtSequence = 0;
  #grownAtSequence = 0;
  /** Until the first congestion the window doubles with each that is reported. */
  #isStarting = true;
  #blockedSinceMs: number | null = null;
  #judgedAtMs: number;
  #tokens = 0;
  #tokensAtMs: number;

  constructor(limits: PaceLimits, nowMs: number) {
    this.#limits = limits;
    this.#window = Math.min(limits.windowMin, limits.windowMax);
    this.#judgedAtMs = nowMs;
    this.#tokensAtMs = nowMs;
  }

  get sentSequence(): number {
    return this.#sentSequence;
  }

  join(receiverId: string, nowMs: number): void {
    this.#receivers.set(receiverId, {
      sequence: this.#sentSequence,
      sampledSequence: this.#sentSequence,
      sampledLost: 0,
      isLossy: false,
      reportedAtMs: nowMs,
      heldUpMs: 0,
    });
  }

  leave(receiverId: string): void {
    this.#receivers.delete(receiverId);
  }

  /** It has answered for everything up to a sequence number, whether that arrived or not. */
  answered(receiverId: string, sequence: number, nowMs: number): void {
    const receiver = this.#receivers.get(receiverId);
    if (receiver !== undefined) {
      receiver.reportedAtMs = nowMs;
      receiver.sequence = Math.max(receiver.sequence, Math.min(sequence, this.#sentSequence));
    }
  }

  /** @param lost datagrams missing below `sequence` since the session began */
  report(receiverId: string, sequence: number, lost: number, nowMs: number): void {
    this.answered(receiverId, sequence, nowMs);
    const receiver = this.#receivers.get(receiverId);
    const sampleCount = receiver === undefined ? 0 : receiver.sequence - receiver.sampledSequence;
    if (receiver === undefined || sampleCount < lossSampleCount) {
      return;
    }
    const { windowMax, windowMin } = this.#limits;
    const lossRate = Math.max(0, lost - receiver.sampledLost) / sampleCount;
    receiver.sampledSequence = receiver.sequence;
    receiver.sampledLost = lost;
    receiver.isLossy = lossRate > congestionLossRate;
    if (receiver.isLossy) {
      // Once for what was in flight: the others report the same overflow.
      if (receiver.sequence > this.#lossAtSequence) {
        this.#window = Math.max(windowMin, Math.floor(this.#window * 0.6));
        this.#lossAtSequence = this.#sentSequence;
        this.#isStarting = false;
      }
    } else if (lossRate < noiseLossRate && receiver.sequence - this.#grownAtSequence >= lossSampleCount) {
      // Once for each sample's worth of datagrams, however many receivers report it.
      this.#grownAtSequence = receiver.sequence;
      this.#window = Math.min(windowMax, this.#window + (this.#isStarting ? sampleCount : 64));
    }
  }

  /** Receivers that report nothing at all: dead or cut off. */
  silent(nowMs: number): ReadonlySet<string> {
    const ids = [...this.#receivers].filter(([, receiver]) => this.#isSilent(receiver, nowMs));
    return new Set(ids.map(([receiverId]) => receiverId));
  }

  /** Datagrams that may go now. */
  budget(nowMs: number): number {
    const { windowMin, stallMs, maxMbps, datagramSizeBytes } = this.#limits;
    let budget = this.#window - (this.#sentSequence - this.#reportedSequence(nowMs));
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

  /** Numbers the datagrams that are sent now. @returns the first */
  takeSequences(count: number): number {
    const first = this.#sentSequence + 1;
    this.#sentSequence += count;
    this.#tokens -= count;
    return first;
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
    for (const receiver of this.#stragglers(nowMs)) {
      receiver.heldUpMs += elapsedMs;
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

  /** Those that lose much while the others do not, and the one that all wait for. */
  #stragglers(nowMs: number): ReadonlySet<Progress> {
    const receivers = [...this.#receivers.values()]
      .filter((receiver) => !this.#isSilent(receiver, nowMs))
      .toSorted((a, b) => a.sequence - b.sequence);
    const lossy = receivers.filter(({ isLossy }) => isLossy);
    const stragglers = new Set(lossy.length <= receivers.length / 4 ? lossy : []);
    const [slowest, second] = receivers;
    const isAlone =
      slowest !== undefined &&
      second !== undefined &&
      this.#blockedSinceMs !== null &&
      second.sequence - slowest.sequence > this.#window * 0.75;
    return isAlone ? stragglers.add(slowest) : stragglers;
  }

  #isSilent({ reportedAtMs }: Progress, nowMs: number): boolean {
    return nowMs - reportedAtMs >= this.#limits.stallMs;
  }

  /**
   * What the slowest receiver has reported, or what was written off after that. One that reports nothing at all is dead
   * or cut off, and not waited for.
   */
  #reportedSequence(nowMs: number): number {
    let lowest = this.#sentSequence;
    for (const receiver of this.#receivers.values()) {
      if (!this.#isSilent(receiver, nowMs)) {
        lowest = Math.min(lowest, receiver.sequence);
      }
    }
    return Math.max(lowest, this.#writtenOffSequence);
  }
}

/** Why a receiver is no longer in a session. */
export type LeftReason = "done" | "failed" | "silent" | "too-slow";
