import { type MissingBlocks, type Ranges, toRanges } from "#wire/control/imaging-messages.ts";
import type { DataPacket } from "#wire/multicast/data-packet.ts";

/** A sealed chunk of which every block has arrived. Nothing about it is trusted yet. */
export type ArrivedChunk = { readonly chunkIndex: number; readonly frame: Uint8Array };

type Assembly = {
  readonly frame: Uint8Array;
  readonly hasBlock: Uint8Array;
  readonly blockSizeBytes: number;
  missingCount: number;
  /** Datagrams disagreed about its size, so that one of them was forged: ask for all of it again. */
  isDoubtful: boolean;
};

/** A sequence number further ahead than any outage makes plausible is not counted: it was not sent by our sender. */
const sequenceLeapMax = 1 << 20;

/** Chunks in pieces at one time; a sender goes chunk by chunk, so more than a few means heavy loss. */
const assemblyCountMax = 64;

/**
 * Collects the datagrams of one session into sealed chunks, in any order, and knows what has not come.
 */
export class MulticastReceiver {
  /** Chunk indices still wanted. BOUNDED by the manifest. */
  readonly #wanted: Set<number>;
  /** Keyed by chunk index. BOUNDED by `assemblyCountMax`; the oldest goes first and is asked for again. */
  readonly #assemblies = new Map<number, Assembly>();
  /** Arrived, and not settled yet: more of their datagrams are not needed. BOUNDED by the caller's queue. */
  readonly #checking = new Set<number>();
  #highestSequence = 0;
  #packetCount = 0;
  #firstSequence = 0;

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

  /** The chunk that this datagram completed, or `null`. */
  receive(packet: DataPacket): ArrivedChunk | null {
    this.#packetCount += 1;
    if (this.#highestSequence === 0) {
      this.#firstSequence = packet.sequence;
      this.#highestSequence = packet.sequence;
    } else if (packet.sequence - this.#highestSequence <= sequenceLeapMax) {
      this.#highestSequence = Math.max(this.#highestSequence, packet.sequence);
    }
    if (!this.#wanted.has(packet.chunkIndex) || this.#checking.has(packet.chunkIndex)) {
      return null;
    }
    const assembly = packet.kind === "data" ? this.#assemblyFor(packet) : null;
    if (assembly === null || assembly.hasBlock[packet.blockIndex] !== 0) {
      return null;
    }
    assembly.frame.set(packet.block, packet.blockIndex * assembly.blockSizeBytes);
    assembly.hasBlock[packet.blockIndex] = 1;
    assembly.missingCount -= 1;
    if (assembly.missingCount > 0) {
      return null;
    }
    this.#assemblies.delete(packet.chunkIndex);
    this.#checking.add(packet.chunkIndex);
    return { chunkIndex: packet.chunkIndex, frame: assembly.frame };
  }

  /** Whether the chunk has arrived and waits to be settled. */
  isChecking(chunkIndex: number): boolean {
    return this.#checking.has(chunkIndex);
  }

  /** An arrived chunk was found genuine and is written, or was forged and is asked for again. */
  settle(chunkIndex: number, isGenuine: boolean): void {
    this.#checking.delete(chunkIndex);
    if (isGenuine) {
      this.#wanted.delete(chunkIndex);
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
      if (!this.#wanted.has(chunkIndex)) {
        continue;
      }
      const assembly = this.#assemblies.get(chunkIndex);
      if (assembly === undefined || assembly.isDoubtful) {
        this.#assemblies.delete(chunkIndex);
        whole.push(chunkIndex);
      } else {
        blocks.push([chunkIndex, toRanges(lackingBlocks(assembly))]);
      }
    }
    return { chunks: toRanges(whole), blocks };
  }

  /** `null` when the datagram contradicts what came before: one of the two is forged, and the hash will tell. */
  #assemblyFor(packet: DataPacket): Assembly | null {
    const found = this.#assemblies.get(packet.chunkIndex);
    if (found !== undefined) {
      const fits =
        found.frame.byteLength === packet.frameSizeBytes && found.blockSizeBytes === packet.blockSizeBytes;
      found.isDoubtful ||= !fits;
      return fits ? found : null;
    }
    if (this.#assemblies.size >= assemblyCountMax) {
      const [oldest] = this.#assemblies.keys();
      if (oldest !== undefined) {
        this.#assemblies.delete(oldest);
      }
    }
    const blockCount = Math.ceil(packet.frameSizeBytes / packet.blockSizeBytes);
    const assembly: Assembly = {
      frame: new Uint8Array(packet.frameSizeBytes),
      hasBlock: new Uint8Array(blockCount),
      blockSizeBytes: packet.blockSizeBytes,
      missingCount: blockCount,
      isDoubtful: false,
    };
    this.#assemblies.set(packet.chunkIndex, assembly);
    return assembly;
  }
}

function* lackingBlocks(assembly: Assembly): Generator<number> {
  for (const [block, has] of assembly.hasBlock.entries()) {
    if (has === 0) {
      yield block;
    }
  }
}
