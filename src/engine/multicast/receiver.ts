import { type MissingBlocks, type Ranges, toRanges } from "#wire/control/imaging-messages.ts";
import { type DataPacket, frameSizeBytesMax } from "#wire/multicast/data-packet.ts";
import { ChunkAssembly } from "./chunk-assembly.ts";
import { ParityCode } from "./parity-code.ts";

/** A sealed chunk of which every block has arrived. Nothing about it is trusted yet. */
export type ArrivedChunk = {
  readonly chunkIndex: number;
  /** Used again for another chunk once this one is settled. */
  readonly frame: Uint8Array;
};

/** A sequence number further ahead than any outage makes plausible is not counted: it was not sent by our sender. */
const sequenceLeapMax = 1 << 20;

/** Chunks in pieces at one time; a sender goes chunk by chunk, so more than a few means heavy loss. */
const assemblyCountMax = 64;

/** Buffers kept for use again: fresh memory costs more than what is done with it. */
const spareCountMax = 16;

/**
 * Collects the datagrams of one session into sealed chunks, in any order, and knows what has not come.
 */
export class MulticastReceiver {
  /** Chunk indices still wanted. BOUNDED by the manifest. */
  readonly #wanted: Set<number>;
  /** Keyed by chunk index. BOUNDED by `assemblyCountMax`; the oldest goes first and is asked for again. */
  readonly #assemblies = new Map<number, ChunkAssembly>();
  /** Arrived, and not settled yet: more of their datagrams are not needed. BOUNDED by the caller's queue. */
  readonly #checking = new Map<number, Uint8Array>();
  /** BOUNDED by `spareCountMax`. */
  readonly #spare: ArrayBufferLike[] = [];
  readonly #code = new ParityCode();
  #highestSequence = 0;
  #packetCount = 0;
  #firstSequence = 0;
  #spoiledCount = 0;

  constructor(wanted: Iterable<number>) {
    this.#wanted = new Set(wanted);
  }

  get wantedCount(): number {
    return this.#wanted.size;
  }

  /** 0 before the first datagram. */
  get highestSequence(): number {
    return this.#highestSequence;
  }

  /** Datagrams that should have come since the first one and have not; late ones are not told from lost ones. */
  get lostCount(): number {
    const expected = this.#highestSequence === 0 ? 0 : this.#highestSequence - this.#firstSequence + 1;
    return Math.max(0, expected - this.#packetCount);
  }

  /** Chunks that were asked for again because somebody else sent pieces of them. */
  get spoiledCount(): number {
    return this.#spoiledCount;
  }

  /** The chunk that this datagram completed, or `null`. */
  receive(packet: DataPacket): ArrivedChunk | null {
    this.#packetCount += 1;
    if (this.#highestSequence === 0) {
      this.#firstSequence = packet.sequence;
      this.#highestSequence = packet.sequence;
    } else if (packet.sequence - this.#highestSequence <= sequenceLeapMax) {
      this.#highestSequence = Math.max(this.#highestSequence, packet.sequence);
    }
    const { chunkIndex } = packet;
    if (!this.#wanted.has(chunkIndex) || this.#checking.has(chunkIndex)) {
      return null;
    }
    const assembly = this.#assemblies.get(chunkIndex) ?? this.#begin(packet);
    assembly.add(packet);
    if (!assembly.isComplete) {
      return null;
    }
    this.#assemblies.delete(chunkIndex);
    this.#checking.set(chunkIndex, assembly.frame);
    return { chunkIndex, frame: assembly.frame };
  }

  /** Whether the chunk has arrived and waits to be settled. */
  isChecking(chunkIndex: number): boolean {
    return this.#checking.has(chunkIndex);
  }

  /** An arrived chunk was found genuine and is written, or was forged and is asked for again. */
  settle(chunkIndex: number, isGenuine: boolean): void {
    const frame = this.#checking.get(chunkIndex);
    this.#checking.delete(chunkIndex);
    if (frame !== undefined) {
      this.#keep(frame);
    }
    if (isGenuine) {
      this.#wanted.delete(chunkIndex);
    } else {
      this.#spoiledCount += 1;
    }
  }

  /** What is lacking of the chunks of a round: whole chunks, and blocks of chunks that came in part. */
  missing(ofChunks: Iterable<number>): {
    readonly chunks: Ranges;
    readonly blocks: readonly MissingBlocks[];
  } {
    const whole: number[] = [];
    const blocks: MissingBlocks[] = [];
    for (const chunkIndex of ofChunks) {
      const assembly = this.#assemblies.get(chunkIndex);
      if (assembly !== undefined && !assembly.isDoubtful) {
        blocks.push([chunkIndex, toRanges(assembly.lacking())]);
      } else if (this.#wanted.has(chunkIndex)) {
        this.#spoiledCount += assembly === undefined ? 0 : 1;
        this.#assemblies.delete(chunkIndex);
        whole.push(chunkIndex);
      }
    }
    return { chunks: toRanges(whole), blocks };
  }

  #begin({ chunkIndex, frameSizeBytes, blockSizeBytes }: DataPacket): ChunkAssembly {
    const [oldest] = this.#assemblies;
    if (oldest !== undefined && this.#assemblies.size >= assemblyCountMax) {
      this.#assemblies.delete(oldest[0]);
      this.#keep(oldest[1].frame);
    }
    const buffer = this.#spare.pop() ?? new ArrayBuffer(frameSizeBytesMax);
    const assembly = new ChunkAssembly(new Uint8Array(buffer, 0, frameSizeBytes), blockSizeBytes, this.#code);
    this.#assemblies.set(chunkIndex, assembly);
    return assembly;
  }

  #keep({ buffer }: Uint8Array): void {
    if (this.#spare.length < spareCountMax) {
      this.#spare.push(buffer);
    }
  }
}
