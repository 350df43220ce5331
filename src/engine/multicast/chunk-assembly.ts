import { type DataPacket, stripeCount } from "#wire/multicast/data-packet.ts";
import { type ParityBlock, parityCountMax, type ParityCode } from "./parity-code.ts";

type Stripe = {
  lackCount: number;
  /** With as many as lack, the stripe is restored. BOUNDED by `lackCount`. */
  readonly parity: ParityBlock[];
};

/** A sealed chunk in pieces: what of it has come, and what is computed from parity. */
export class ChunkAssembly {
  readonly frame: Uint8Array;
  readonly #blockSizeBytes: number;
  readonly #code: ParityCode;
  readonly #hasBlock: Uint8Array;
  readonly #stripes: readonly Stripe[];
  #missingCount: number;
  /** Datagrams disagreed about its size, so that one of them was forged: ask for all of it again. */
  #isDoubtful = false;

  /** @param frame as large as the sealed chunk; its content does not matter */
  constructor(frame: Uint8Array, blockSizeBytes: number, code: ParityCode) {
    const blockCount = Math.ceil(frame.byteLength / blockSizeBytes);
    this.frame = frame;
    this.#blockSizeBytes = blockSizeBytes;
    this.#code = code;
    this.#hasBlock = new Uint8Array(blockCount);
    this.#missingCount = blockCount;
    this.#stripes = Array.from({ length: stripeCount }, (_, stripe) => ({
      lackCount: Math.floor((blockCount + stripeCount - 1 - stripe) / stripeCount),
      parity: [],
    }));
  }

  get isComplete(): boolean {
    return this.#missingCount === 0;
  }

  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  add(packet: DataPacket): void {
    if (packet.frameSizeBytes !== this.frame.byteLength || packet.blockSizeBytes !== this.#blockSizeBytes) {
      this.#isDoubtful = true;
    } else if (packet.kind === "data") {
      this.#addBlock(packet.blockIndex, packet.block);
    } else {
      this.#addParity(packet.blockIndex >> 8, packet.blockIndex & 0xff, packet.block);
    }
  }

  /** The blocks that would complete it: parity that is here already stands for as many. */
  lacking(): readonly number[] {
    return this.#stripes
      .flatMap(({ lackCount, parity }, stripe) => this.#lackingOf(stripe).slice(0, lackCount - parity.length))
      .toSorted((a, b) => a - b);
  }

  #addBlock(block: number, bytes: Uint8Array): void {
    const index = block % stripeCount;
    const stripe = this.#stripes[index];
    if (stripe === undefined || this.#hasBlock[block] !== 0) {
      return;
    }
    this.frame.set(bytes, block * this.#blockSizeBytes);
    this.#hasBlock[block] = 1;
    this.#missingCount -= 1;
    stripe.lackCount -= 1;
    if (stripe.parity.length > 0) {
      this.#restore(index, stripe);
    }
  }

  #addParity(stripeIndex: number, index: number, bytes: Uint8Array): void {
    const stripe = this.#stripes[stripeIndex];
    const isOne = index < parityCountMax(this.frame.byteLength, this.#blockSizeBytes);
    const isNew = stripe?.parity.every((known) => known.index !== index) === true;
    if (stripe !== undefined && isOne && isNew && stripe.lackCount > 0) {
      stripe.parity.push({ index, block: Uint8Array.from(bytes) });
      this.#restore(stripeIndex, stripe);
    }
  }

  /** Computes what a stripe lacks, once as much parity of it is here. */
  #restore(stripeIndex: number, stripe: Stripe): void {
    if (stripe.parity.length < stripe.lackCount) {
      return;
    }
    const lacking = this.#lackingOf(stripeIndex);
    this.#code.restore(this.frame, this.#blockSizeBytes, stripeIndex, lacking, stripe.parity);
    for (const block of lacking) {
      this.#hasBlock[block] = 1;
    }
    this.#missingCount -= lacking.length;
    stripe.lackCount = 0;
    stripe.parity.length = 0;
  }

  #lackingOf(stripe: number): number[] {
    const lacking: number[] = [];
    for (let block = stripe; block < this.#hasBlock.length; block += stripeCount) {
      if (this.#hasBlock[block] === 0) {
        lacking.push(block);
      }
    }
    return lacking;
  }
}
