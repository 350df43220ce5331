import { fromRanges, type MissingBlocks, type Ranges, toRanges } from "#wire/control/imaging-messages.ts";
import { stripeCount } from "#wire/multicast/data-packet.ts";
import { ChunkLack, type Repair } from "./chunk-lack.ts";
import { type Left, Pace, type PaceLimits } from "./pace.ts";

/** What to put on the wire next. */
export type SendUnit = Repair & { readonly chunkIndex: number };

/** A question to every receiver: which of these chunks, all sent by that sequence number, do you lack? */
export type RoundEnd = { readonly round: number; readonly sequence: number; readonly chunks: Ranges };

export type SenderLimits = PaceLimits & {
  /** Chunks sent after which receivers are asked, so that repair begins while the rest is still being sent. */
  readonly roundChunkCount: number;
  /** A round is over after this time as well: on a slow link few chunks fill it. */
  readonly roundMs: number;
  /** Chunks that may be on their way at one time; a receiver holds that many in pieces, see `MulticastReceiver`. */
  readonly openChunkCountMax: number;
  /** Parity blocks that a stripe has, by `parityCountMax`; 0 repairs with the blocks themselves. */
  readonly parityCountMax: number;
};

export const defaultSenderLimits: SenderLimits = {
  windowMax: 8192,
  /** More than a receiver takes before it reports, or each window would wait for its timer. */
  windowMin: 128,
  maxMbps: 0,
  datagramSizeBytes: 1466,
  stallMs: 400,
  awaitMs: 700,
  silenceMs: 10_000,
  silenceMsMax: 60_000,
  judgeMs: 4000,
  trialMs: 1000,
  roundChunkCount: 16,
  roundMs: 200,
  openChunkCountMax: 60,
  parityCountMax: 0,
};

type OpenRound = {
  readonly sequence: number;
  readonly chunks: ReadonlySet<number>;
  /** Receivers that have not answered. BOUNDED by the computers of the job. */
  readonly waitingFor: Set<string>;
  /** What those that have answered lack. BOUNDED by `chunks`. */
  readonly lacking: Map<number, ChunkLack>;
};

/*
 * What a receiver wants of a chunk: nothing (0), all of it when its turn comes, or what it lacks of what was sent. A
 * receiver that comes late is not repaired what it heard in part: that would hold the others up, and its turn comes.
 */
const wantedWhole = 1;
const wantedAgain = 2;

/** A chunk that has gone out and is not settled. */
type OpenChunk = { lastRound: number; readonly parityUsed: number[] };

/**
 * Decides what one session sends and how fast. Chunks go out in rounds; after each round every receiver says what it
 * lacks of it, while the next round is already being sent, and that is repaired first in a later round.
 */
export class MulticastSender {
  readonly #limits: SenderLimits;
  readonly #chunkCount: number;
  readonly #pace: Pace;
  /** By receiver, what it wants of each chunk. BOUNDED by the computers of the job. */
  readonly #wanted = new Map<string, Uint8Array>();
  /** Chunks to be sent in this lap. BOUNDED by the manifest. */
  #queue = new Set<number>();
  /**
   * Chunks that have been sent and that those who came later want. They are sent in a lap of their own, once everything
   * of this one is settled: among them the last repairs of the others would wait in line. BOUNDED by the manifest.
   */
  #nextLap = new Set<number>();
  /** By chunk: 1 when it has gone out in this lap. */
  readonly #sentInLap: Uint8Array;
  /** Keyed by chunk, sent before the queue. BOUNDED by `openChunkCountMax`. */
  readonly #repairs = new Map<number, ChunkLack>();
  /** Chunks of the round being sent. BOUNDED by `roundChunkCount`. */
  #current = new Set<number>();
  #round = 1;
  #roundBeganAtMs = 0;
  /** Rounds that were sent and not answered by all, keyed by number. BOUNDED by `openChunkCountMax`. */
  readonly #openRounds = new Map<number, OpenRound>();
  /** Keyed by chunk. BOUNDED by `openChunkCountMax`, at the end of a session by the manifest. */
  readonly #openChunks = new Map<number, OpenChunk>();

  /** Not waited for. What they lack is asked when everything else is settled, should they be back by then. */
  #notAwaited: ReadonlySet<string> = new Set();

  constructor(chunkCount: number, limits: SenderLimits, nowMs: number) {
    this.#limits = limits;
    this.#chunkCount = chunkCount;
    this.#sentInLap = new Uint8Array(chunkCount);
    this.#pace = new Pace(limits, nowMs);
  }

  get sentSequence(): number {
    return this.#pace.sentSequence;
  }

  get receiverCount(): number {
    return this.#wanted.size;
  }

  /**
   * Adds a receiver, before the start or in the middle, or anew after its connection broke. What it lacks and is still
   * to be sent counts for it, the rest is sent again.
   */
  join(receiverId: string, wanted: Ranges, nowMs: number): void {
    this.leave(receiverId);
    const flags = new Uint8Array(this.#chunkCount);
    this.#wanted.set(receiverId, flags);
    this.#pace.join(receiverId, nowMs);
    for (const chunk of fromRanges(wanted, this.#chunkCount)) {
      flags[chunk] = wantedWhole;
      const isOut = this.#sentInLap[chunk] === 1 || this.#openChunks.has(chunk);
      (isOut ? this.#nextLap : this.#queue).add(chunk);
    }
  }

  leave(receiverId: string): void {
    this.#wanted.delete(receiverId);
    this.#pace.leave(receiverId);
    for (const [number, round] of this.#openRounds) {
      round.waitingFor.delete(receiverId);
      this.#settle(number, round);
    }
  }

  /** How far a receiver is; see `Pace.report`. */
  report(receiverId: string, sequence: number, lost: number, nowMs: number): void {
    this.#pace.report(receiverId, sequence, lost, nowMs);
  }

  /** The answer to a round's end. A second answer, and one about chunks that were not of the round, change nothing. */
  missing(
    receiverId: string,
    roundNumber: number,
    chunks: Ranges,
    blocks: readonly MissingBlocks[],
    nowMs: number,
  ): void {
    const round = this.#openRounds.get(roundNumber);
    const wanted = this.#wanted.get(receiverId);
    if (round === undefined || wanted === undefined || !round.waitingFor.delete(receiverId)) {
      return;
    }
    this.#pace.answered(receiverId, round.sequence, nowMs);
    const isAsked = (chunk: number): boolean => round.chunks.has(chunk) && wanted[chunk] !== wantedWhole;
    for (const chunk of round.chunks) {
      wanted[chunk] = isAsked(chunk) ? 0 : wantedWhole;
    }
    const lackOf = (chunk: number): ChunkLack | null => {
      if (!isAsked(chunk)) {
        return null;
      }
      const lack = round.lacking.get(chunk) ?? new ChunkLack();
      round.lacking.set(chunk, lack);
      wanted[chunk] = wantedAgain;
      return lack;
    };
    for (const chunk of fromRanges(chunks, this.#chunkCount)) {
      lackOf(chunk)?.addAll();
    }
    for (const [chunk, ranges] of blocks) {
      lackOf(chunk)?.add(fromRanges(ranges, 65_536));
    }
    this.#settle(roundNumber, round);
  }

  /** Datagrams that may go now. */
  budget(nowMs: number): number {
    return this.#pace.budget(nowMs);
  }

  /** The next unit of this round; `null` when the round is full or nothing may be sent before an answer. */
  next(nowMs: number): SendUnit | null {
    const { roundChunkCount, roundMs } = this.#limits;
    if (this.#current.size === 0) {
      this.#roundBeganAtMs = nowMs;
    } else if (
      // Short rounds first: whoever hears nothing is asked, and goes, before it has held the others up for long.
      this.#current.size >= Math.min(this.#round, roundChunkCount) ||
      nowMs - this.#roundBeganAtMs >= roundMs
    ) {
      return null;
    }
    for (const [chunkIndex, lack] of this.#repairs) {
      this.#repairs.delete(chunkIndex);
      return this.#take(chunkIndex, lack);
    }
    if (this.#openChunks.size >= this.#limits.openChunkCountMax) {
      return null;
    }
    if (this.#queue.size === 0 && this.#openChunks.size === 0) {
      this.#queue = this.#nextLap;
      this.#nextLap = new Set();
      this.#sentInLap.fill(0);
    }
    for (const chunkIndex of this.#queue) {
      this.#queue.delete(chunkIndex);
      // Whoever wanted it may have left.
      if (this.#isWanted(chunkIndex)) {
        this.#sentInLap[chunkIndex] = 1;
        const lack = new ChunkLack();
        lack.addAll();
        return this.#take(chunkIndex, lack);
      }
    }
    return null;
  }

  /** Numbers the datagrams that are sent now. @returns the first */
  takeSequences(count: number): number {
    return this.#pace.takeSequences(count);
  }

  /**
   * Ends the round being sent: the question to put to every receiver, or `null` when there is none to put. When
   * everything is settled and receivers remain, they are asked about everything.
   */
  endRound(): RoundEnd | null {
    const isIdle =
      this.#notAwaited.size < this.#wanted.size &&
      this.#openRounds.size === 0 &&
      this.#repairs.size === 0 &&
      this.#queue.size === 0 &&
      this.#nextLap.size === 0;
    if (this.#current.size === 0 && (!isIdle || this.#wanted.size === 0)) {
      return null;
    }
    if (this.#current.size === 0) {
      for (let chunk = 0; chunk < this.#chunkCount; chunk += 1) {
        this.#open(chunk);
      }
    }
    const number = this.#round;
    const round: OpenRound = {
      sequence: this.sentSequence,
      chunks: this.#current,
      waitingFor: new Set(this.#wanted.keys()).difference(this.#notAwaited),
      lacking: new Map(),
    };
    this.#openRounds.set(number, round);
    this.#current = new Set();
    this.#round += 1;
    const chunks = toRanges([...round.chunks].toSorted((a, b) => a - b));
    return { round: number, sequence: round.sequence, chunks };
  }

  /** Receivers that must go on by unicast, see `Pace.judge`. */
  judge(nowMs: number, elapsedMs: number): Left[] {
    this.#notAwaited = this.#pace.notAwaited(nowMs);
    for (const [number, round] of this.#openRounds) {
      this.#notAwaited.forEach((receiverId) => round.waitingFor.delete(receiverId));
      this.#settle(number, round);
    }
    return this.#pace.judge(nowMs, elapsedMs);
  }

  /** Whether anyone wants it. From now on it counts as sent to those who were to get all of it. */
  #isWanted(chunk: number): boolean {
    let isWanted = false;
    for (const wanted of this.#wanted.values()) {
      if (wanted[chunk] !== 0) {
        wanted[chunk] = wantedAgain;
        isWanted = true;
      }
    }
    return isWanted;
  }

  #open(chunk: number): OpenChunk {
    const open = this.#openChunks.get(chunk) ?? {
      lastRound: 0,
      parityUsed: Array.from({ length: stripeCount }, () => 0),
    };
    open.lastRound = this.#round;
    this.#openChunks.set(chunk, open);
    this.#current.add(chunk);
    return open;
  }

  #take(chunkIndex: number, lack: ChunkLack): SendUnit {
    const { parityUsed } = this.#open(chunkIndex);
    return { chunkIndex, ...lack.repair(parityUsed, this.#limits.parityCountMax) };
  }

  /** Once all have answered: what they lack is repaired, unless it has gone out again since and is asked about then. */
  #settle(number: number, round: OpenRound): void {
    if (round.waitingFor.size > 0) {
      return;
    }
    this.#openRounds.delete(number);
    for (const chunk of round.chunks) {
      if (this.#openChunks.get(chunk)?.lastRound === number && !round.lacking.has(chunk)) {
        this.#openChunks.delete(chunk);
      }
    }
    for (const [chunk, lack] of round.lacking) {
      if (this.#openChunks.get(chunk)?.lastRound !== number) {
        continue;
      }
      // Repair of more than receivers hold in pieces would come when the pieces are gone: those go out whole, in turn.
      if (this.#openChunks.size > this.#limits.openChunkCountMax) {
        this.#openChunks.delete(chunk);
        this.#queue.add(chunk);
      } else {
        this.#repairs.set(chunk, lack);
      }
    }
  }
}
