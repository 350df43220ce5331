import type { SeededRandom } from "./seeded-random.ts";

/** What a link does to each datagram on its way to one interface. Rates are from 0 to 1. */
export type LinkModel = {
  readonly lossRate: number;
  readonly duplicateRate: number;
  readonly delayMs: number;
  /** Up to this much more delay, evenly spread. More than the gap between datagrams reorders them. */
  readonly jitterMs: number;
  /** This share of datagrams is held back by `reorderDelayMs`, so that later ones overtake it. */
  readonly reorderRate: number;
  readonly reorderDelayMs: number;
  /** `null`: as fast as the sender. */
  readonly bitsPerSecond: number | null;
  /** What waits for a slow link; the rest is lost at its tail. */
  readonly queueBytesMax: number;
  /** A cable that is out. */
  readonly isCut: boolean;
};

export const perfectLink: LinkModel = {
  lossRate: 0,
  duplicateRate: 0,
  delayMs: 0.1,
  jitterMs: 0,
  reorderRate: 0,
  reorderDelayMs: 5,
  bitsPerSecond: null,
  queueBytesMax: 256 * 1024,
  isCut: false,
};

/** Preamble, Ethernet header, checksum, gap, IP and UDP headers: what a payload costs on the wire. RFC 894 */
const overheadBytes = 8 + 14 + 4 + 12 + 20 + 8;

/** The receiving side of one interface's cable: faults by seed, and a queue where the link is slow. */
export class Link {
  model: LinkModel;
  readonly #random: SeededRandom;
  #busyUntilMs = 0;

  constructor(model: LinkModel, random: SeededRandom) {
    this.model = model;
    this.#random = random;
  }

  /** Delays after which copies of a datagram arrive: none when it is lost, two when it is duplicated. */
  carry(sizeBytes: number, nowMs: number): readonly number[] {
    const { model } = this;
    if (model.isCut || this.#random() < model.lossRate) {
      return [];
    }
    const waitMs = this.#queue(sizeBytes, nowMs);
    if (waitMs === null) {
      return [];
    }
    const copies = this.#random() < model.duplicateRate ? 2 : 1;
    return Array.from({ length: copies }, () => {
      const heldMs = this.#random() < model.reorderRate ? model.reorderDelayMs : 0;
      return waitMs + model.delayMs + this.#random() * model.jitterMs + heldMs;
    });
  }

  /** How long until the link has carried it, or `null` when its queue is full. */
  #queue(sizeBytes: number, nowMs: number): number | null {
    const { bitsPerSecond, queueBytesMax } = this.model;
    if (bitsPerSecond === null) {
      return 0;
    }
    const waitMs = Math.max(0, this.#busyUntilMs - nowMs);
    if ((waitMs * bitsPerSecond) / 8000 > queueBytesMax) {
      return null;
    }
    this.#busyUntilMs = nowMs + waitMs + ((sizeBytes + overheadBytes) * 8000) / bitsPerSecond;
    return this.#busyUntilMs - nowMs;
  }
}
