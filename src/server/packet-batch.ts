import type { ParityCode } from "#engine/multicast/parity-code.ts";
import type { SendUnit } from "#engine/multicast/sender.ts";
import { dataHeaderSizeBytes, writeDataHeader } from "#wire/multicast/data-packet.ts";

/** Datagrams built and handed to the kernel at once. */
const batchCountMax = 704;

/**
 * The datagrams of one unit, built batch by batch in one buffer. Parity goes first: in a batch only the last datagram
 * may be shorter than the others.
 */
export class PacketBatch {
  readonly #sessionId: number;
  readonly #blockSizeBytes: number;
  readonly #code: ParityCode;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #chunkIndex = 0;
  #sealed: Uint8Array = new Uint8Array(0);
  #parity: { readonly blockIndex: number; readonly block: Uint8Array }[] = [];
  /** `null`: all of them. */
  #blocks: readonly number[] | null = null;
  #count = 0;
  #doneCount = 0;

  constructor(sessionId: number, blockSizeBytes: number, code: ParityCode) {
    this.#sessionId = sessionId;
    this.#blockSizeBytes = blockSizeBytes;
    this.#code = code;
    this.#bytes = Buffer.alloc(batchCountMax * (dataHeaderSizeBytes + blockSizeBytes));
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
  }

  begin({ chunkIndex, blocks, parity }: SendUnit, sealed: Uint8Array): void {
    const blockCount = Math.ceil(sealed.byteLength / this.#blockSizeBytes);
    this.#chunkIndex = chunkIndex;
    this.#sealed = sealed;
    this.#blocks = blocks === "all" ? null : blocks.filter((block) => block < blockCount);
    this.#parity = parity.flatMap(({ stripe, from, count }) =>
      this.#code
        .encode(sealed, this.#blockSizeBytes, stripe, from, count)
        .map((block, index) => ({ blockIndex: stripe * 256 + from + index, block })),
    );
    this.#count = this.#parity.length + (this.#blocks?.length ?? blockCount);
    this.#doneCount = 0;
  }

  /** Datagrams of the unit that are not built yet. */
  get restCount(): number {
    return this.#count - this.#doneCount;
  }

  /** How many the next `build` may be asked for. */
  nextCount(budget: number): number {
    return Math.min(this.restCount, batchCountMax, budget);
  }

  /** Builds the next datagrams. Valid until the next call. */
  build(count: number, firstSequence: number): Uint8Array {
    const header = {
      kind: "data" as "data" | "parity",
      sessionId: this.#sessionId,
      sequence: firstSequence,
      chunkIndex: this.#chunkIndex,
      frameSizeBytes: this.#sealed.byteLength,
      blockIndex: 0,
      blockSizeBytes: this.#blockSizeBytes,
    };
    let sizeBytes = 0;
    for (const end = this.#doneCount + count; this.#doneCount < end; this.#doneCount += 1) {
      const parity = this.#parity[this.#doneCount];
      const place = this.#doneCount - this.#parity.length;
      header.kind = parity === undefined ? "data" : "parity";
      header.blockIndex = parity?.blockIndex ?? this.#blocks?.[place] ?? place;
      writeDataHeader(this.#view, sizeBytes, header);
      sizeBytes += dataHeaderSizeBytes;
      const block = parity?.block ?? this.#blockAt(header.blockIndex);
      this.#bytes.set(block, sizeBytes);
      sizeBytes += block.byteLength;
      header.sequence += 1;
    }
    return this.#bytes.subarray(0, sizeBytes);
  }

  #blockAt(blockIndex: number): Uint8Array {
    const from = blockIndex * this.#blockSizeBytes;
    return this.#sealed.subarray(from, from + this.#blockSizeBytes);
  }
}
