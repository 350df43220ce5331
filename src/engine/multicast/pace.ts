export type PaceLimits = {
  /** Datagrams that may be unreported. */
  readonly windowMax: number;
  readonly windowMin: number;
  /** Mbit/s on the wire; 0 for no cap. */
  readonly maxMbps: number;
  readonly datagramSizeBytes: number;
  /** Blocked for this long by receivers that do report means that the tail was lost: go on with half the window. */
  readonly stallMs: number;
  /** A receiver that reports nothing is waited for this long: a busy computer, or one that is dead. */
  readonly awaitMs: number;
  /** A receiver that reports nothing for this long is sent away to unicast, when at least half of the room reports. */
  readonly silenceMs: number;
  /** The same when most are silent: that is the network, or the server itself, and unicast would not help them. */
  readonly silenceMsMax: number;
  /** Receivers that hold the room up for `heldUpShareMax` of this time are put on trial. */
  readonly judgeMs: number;
  /** How long the room goes on without them then; those without whom it goes twice as fast are sent away to unicast. */
  readonly trialMs: number;
};

/*
 * Loss is judged over this many datagrams: over fewer, one lost datagram of a noisy cable looks like congestion, and
 * giving way to it stops a session at two in a hundred.
 */
const lossSampleCount = 256;
const congestionLossRate = 0.06;
const noiseLossRate = 0.035;

/*
 * What is on its way for longer than this waits in queues: of switches, of network cards, of sockets. The room is not a bit
 * faster for it, and a computer that is held up for a moment loses all that its queue cannot hold.
 */
const queueMsMax = 250;
/** How finely times of sending are remembered. */
const markMs = 5;
const markCountMax = 1024;

/** A shorter hold-up is a computer that was busy for a moment; a longer one is time that the whole room loses. */
const heldUpShareMax = 0.3;
/** Whoever is the reason that the room goes at less than half of its speed must go on alone. */
const speedUpMin = 2;
/** After a trial that was in vain there is none for this long, then for twice as long, and so on. */
const excusedMs = 15_000;
/** Between two calls of `judge`: we stood still ourselves, and reports wait in our sockets. */
const standstillMs = 2500;

type Progress = {
  sequence: number;
  /** Where the current sample of its loss began. */
  sampledSequence: number;
  sampledLost: number;
  /** As reported last. */
  lost: number;
  /** Its last sample was of a congested link. */
  isLossy: boolean;
  reportedAtMs: number;
  /** Milliseconds for which it, and no more than half of the room, kept the sender waiting or lost much, since `judgedAtMs`. */
  heldUpMs: number;
  /** Trials that have shown that the room is no faster without it. */
  trialCount: number;
  excusedUntilMs: number;
};

/** The room goes on without some for a while, to see what difference they make. */
type Trial = {
  /** With what each had reported when it began. */
  readonly receivers: ReadonlyMap<Progress, { readonly sequence: number; readonly lost: number }>;
  readonly beganAtMs: number;
  fromSequence: number;
  readonly rateBefore: number;
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
  /** The window is full, and what was reported has not moved since. */
  #blocked: { readonly sinceMs: number; readonly reported: number } | null = null;
  /** When datagrams were sent, in order: those from `sequence` on at `atMs` or later. BOUNDED by `markCountMax`. */
  readonly #marks: { readonly sequence: number; readonly atMs: number }[] = [];
  #judgedAtMs: number;
  #judgedSequence = 0;
  #trial: Trial | null = null;
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
      lost: 0,
      isLossy: false,
      reportedAtMs: nowMs,
      heldUpMs: 0,
      trialCount: 0,
      excusedUntilMs: 0,
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
    if (receiver === undefined) {
      return;
    }
    receiver.lost = lost;
    const sampleCount = receiver.sequence - receiver.sampledSequence;
    if (sampleCount < lossSampleCount) {
      return;
    }
    const { windowMax, windowMin } = this.#limits;
    const lossRate = Math.max(0, lost - receiver.sampledLost) / sampleCount;
    receiver.sampledSequence = receiver.sequence;
    receiver.sampledLost = lost;
    receiver.isLossy = lossRate > congestionLossRate;
    if (this.#isOnTrial(receiver)) {
      return;
    }
    const delayMs = nowMs - this.#sentAtMs(receiver.sequence, nowMs);
    if (receiver.isLossy || delayMs > queueMsMax) {
      // Once for what was in flight: the others report the same overflow.
      if (receiver.sequence > this.#lossAtSequence) {
        this.#window = Math.max(windowMin, Math.floor(this.#window * (receiver.isLossy ? 0.6 : 0.8)));
        this.#lossAtSequence = this.#sentSequence;
        this.#isStarting = false;
      }
    } else if (
      lossRate < noiseLossRate &&
      delayMs < queueMsMax / 2 &&
      receiver.sequence - this.#grownAtSequence >= lossSampleCount
    ) {
      // Once for each sample's worth of datagrams, however many receivers report it.
      this.#grownAtSequence = receiver.sequence;
      this.#window = Math.min(windowMax, this.#window + (this.#isStarting ? sampleCount : 64));
    }
  }

  /** Receivers that report nothing at all, dead or cut off, and those on trial. */
  notAwaited(nowMs: number): ReadonlySet<string> {
    const ids = [...this.#receivers].filter(([, receiver]) => !this.#isAwaited(receiver, nowMs));
    return new Set(ids.map(([receiverId]) => receiverId));
  }

  /** Datagrams that may go now. */
  budget(nowMs: number): number {
    const { windowMin, stallMs, maxMbps, datagramSizeBytes } = this.#limits;
    const reported = this.#reportedSequence(nowMs);
    let budget = this.#window - (this.#sentSequence - reported);
    if (budget > 0) {
      this.#blocked = null;
    } else if (this.#blocked === null || reported > this.#blocked.reported) {
      // A window that was made smaller is waited for while it empties.
      this.#blocked = { sinceMs: nowMs, reported };
    } else if (nowMs - this.#blocked.sinceMs >= stallMs && this.#isHeard(nowMs)) {
      this.#blocked = null;
      this.#writtenOffSequence = this.#sentSequence;
      this.#window = Math.max(windowMin, Math.floor(this.#window / 2));
      budget = this.#window;
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
    // As of the budget that they are taken from.
    const atMs = this.#tokensAtMs;
    if (atMs - (this.#marks.at(-1)?.atMs ?? -markMs) >= markMs) {
      this.#marks.push({ sequence: first, atMs });
      if (this.#marks.length > markCountMax) {
        this.#marks.shift();
      }
    }
    this.#sentSequence += count;
    this.#tokens -= count;
    return first;
  }

  /**
   * Receivers that must go on by unicast, with the reason. Call about four times a second.
   *
   * @param elapsedMs since the last call
   */
  judge(nowMs: number, elapsedMs: number): Left[] {
    if (elapsedMs > standstillMs) {
      this.#receivers.forEach((receiver) => {
        receiver.reportedAtMs = Math.min(nowMs, receiver.reportedAtMs + elapsedMs);
      });
      this.#beginPeriod(nowMs);
    }
    const gone = this.#gone(nowMs);
    const tooSlow = this.#tooSlow(nowMs, elapsedMs);
    return [...this.#receivers].flatMap(([receiverId, receiver]): Left[] => {
      const slow: Left[] = tooSlow.has(receiver) ? [{ receiverId, reason: "too-slow" }] : [];
      return gone.has(receiver) ? [{ receiverId, reason: "silent" }] : slow;
    });
  }

  #gone(nowMs: number): ReadonlySet<Progress> {
    const receivers = [...this.#receivers.values()];
    const silentFor = (limitMs: number): Progress[] =>
      receivers.filter(({ reportedAtMs }) => nowMs - reportedAtMs > limitMs);
    const silent = silentFor(this.#limits.silenceMs);
    return new Set(silent.length <= receivers.length / 2 ? silent : silentFor(this.#limits.silenceMsMax));
  }

  /** Those without whom the room has been found to go much faster, and who still do not keep up. */
  #tooSlow(nowMs: number, elapsedMs: number): ReadonlySet<Progress> {
    if (this.#trial !== null) {
      return nowMs - this.#trial.beganAtMs < this.#limits.trialMs
        ? new Set()
        : this.#endTrial(this.#trial, nowMs);
    }
    for (const receiver of this.#stragglers(nowMs)) {
      receiver.heldUpMs += elapsedMs;
    }
    const { judgeMs } = this.#limits;
    const suspects = [...this.#receivers.values()].filter(
      ({ heldUpMs }) => heldUpMs > judgeMs * heldUpShareMax,
    );
    if (suspects.length > 0) {
      // What is reported counts, before and after: a burst that fills the window says nothing.
      const rateBefore = (this.#reportedSequence(nowMs) - this.#judgedSequence) / (nowMs - this.#judgedAtMs);
      const receivers = new Map(suspects.map((one) => [one, { sequence: one.sequence, lost: one.lost }]));
      this.#trial = { receivers, beganAtMs: nowMs, fromSequence: 0, rateBefore };
      this.#trial.fromSequence = this.#reportedSequence(nowMs);
    } else if (nowMs - this.#judgedAtMs > judgeMs) {
      this.#beginPeriod(nowMs);
    }
    return new Set();
  }

  #endTrial(trial: Trial, nowMs: number): ReadonlySet<Progress> {
    const { receivers, beganAtMs, fromSequence, rateBefore } = trial;
    const othersCount = this.#reportedSequence(nowMs) - fromSequence;
    const isFaster = othersCount > rateBefore * speedUpMin * (nowMs - beganAtMs);
    const tooSlow = new Set<Progress>();
    for (const [receiver, before] of receivers) {
      const count = receiver.sequence - before.sequence;
      const lossRate = Math.max(0, receiver.lost - before.lost) / Math.max(1, count);
      // One that keeps up by now was busy for a moment.
      const keepsUp = count * speedUpMin >= othersCount && lossRate <= congestionLossRate;
      if (isFaster && !keepsUp) {
        tooSlow.add(receiver);
      } else {
        receiver.excusedUntilMs = nowMs + excusedMs * 2 ** receiver.trialCount;
        receiver.trialCount += 1;
      }
    }
    this.#trial = null;
    this.#beginPeriod(nowMs);
    if (tooSlow.size < receivers.size) {
      // What they missed meanwhile is asked about at the end; the room does not stop until they have caught up.
      this.#writtenOffSequence = this.#sentSequence;
    }
    return tooSlow;
  }

  #beginPeriod(nowMs: number): void {
    this.#judgedAtMs = nowMs;
    this.#judgedSequence = this.#reportedSequence(nowMs);
    for (const receiver of this.#receivers.values()) {
      receiver.heldUpMs = 0;
    }
  }

  /** Those that lose much while the others do not, and those that more than half of the room wait for. */
  #stragglers(nowMs: number): readonly Progress[] {
    const receivers = [...this.#receivers.values()]
      .filter((receiver) => this.#isAwaited(receiver, nowMs))
      .toSorted((a, b) => a.sequence - b.sequence);
    const lossy = receivers.filter(({ isLossy }) => isLossy);
    const isMinority = lossy.length <= receivers.length / 4;
    const median = receivers[Math.floor(receivers.length / 2)]?.sequence ?? 0;
    const isBlocked = this.#blocked !== null;
    return receivers.filter(
      ({ sequence, isLossy, excusedUntilMs }) =>
        nowMs >= excusedUntilMs &&
        ((isMinority && isLossy) || (isBlocked && median - sequence > this.#window * 0.75)),
    );
  }

  #isOnTrial(receiver: Progress): boolean {
    return this.#trial?.receivers.has(receiver) === true;
  }

  #isAwaited(receiver: Progress, nowMs: number): boolean {
    return nowMs - receiver.reportedAtMs < this.#limits.awaitMs && !this.#isOnTrial(receiver);
  }

  /** Whether those that are waited for report: one that does not is held up, and what it was sent may lie in its queue. */
  #isHeard(nowMs: number): boolean {
    return [...this.#receivers.values()].every(
      (receiver) =>
        !this.#isAwaited(receiver, nowMs) ||
        nowMs - receiver.reportedAtMs < this.#limits.stallMs ||
        this.#sentSequence - receiver.sequence < this.#window,
    );
  }

  /** When the datagram was sent; `nowMs` when that is forgotten. */
  #sentAtMs(sequence: number, nowMs: number): number {
    const mark = this.#marks.findLast((candidate) => candidate.sequence <= sequence);
    return mark?.atMs ?? nowMs;
  }

  /**
   * What the slowest receiver has reported, or what was written off after that. One that reports nothing at all is dead
   * or cut off, and not waited for; nor is one on trial.
   */
  #reportedSequence(nowMs: number): number {
    let lowest = this.#sentSequence;
    for (const receiver of this.#receivers.values()) {
      if (this.#isAwaited(receiver, nowMs)) {
        lowest = Math.min(lowest, receiver.sequence);
      }
    }
    return Math.max(lowest, this.#writtenOffSequence);
  }
}

/** Why a receiver is no longer in a session. */
export type LeftReason = "done" | "failed" | "silent" | "too-slow";

export type Left = { readonly receiverId: string; readonly reason: LeftReason };
