import { hash } from "node:crypto";
import { decompressChunk } from "#platform/chunk-frame.ts";
import { chunkLength, freeChunks, type Manifest } from "#engine/image/manifest.ts";
import { alignedMemory } from "#platform/aligned-memory.ts";
import type { Disk } from "#platform/disk.ts";
import type { ChunkSink } from "./chunk-sink.ts";

const zeros = new Uint8Array(1 << 20);
const backupTableSizeBytes = 34 * 512;
/** Chunks read at the same time: the disk works while the last one is hashed. */
const readerCount = 4;
/** Chunks looked at before a disk is compared as a whole, spread over the image. */
const sampleCount = 64;
/** With fewer equal than this, reading everything costs more than it saves. */
const worthwhileShare = 0.1;

/** What belongs at the start of the disk and at its end, once everything else is proven. */
export type FinalTable = {
  readonly first: Uint8Array;
  readonly backup: { readonly startBytes: number; readonly bytes: Uint8Array } | null;
};

/**
 * Writes the chunks of one image to one disk. While it works the disk cannot boot: both partition tables are wiped at the
 * start, and the chunks that hold them are written last.
 */
export class DiskRestore implements ChunkSink {
  readonly #disk: Disk;
  /** The image's disk where it lies on `#disk`; offsets are those of the image. */
  readonly #placed: Disk;
  readonly #manifest: Manifest;
  /** Chunk indices not written yet. BOUNDED by the manifest. */
  readonly #missing: Set<number>;
  /** Chunk indices written, to be read back. BOUNDED by the manifest. */
  readonly #written = new Set<number>();
  /** Content of chunks with a partition table, by index; written last. BOUNDED by three: the first, and the last two. */
  readonly #held = new Map<number, Uint8Array>();
  readonly #heldFrom: number;
  #writtenBytes = 0;
  #isUnbootable = false;

  /** @param placed where the image's disk is on the target, when not at the same offsets */
  constructor(disk: Disk, manifest: Manifest, placed: Disk = disk) {
    this.#disk = disk;
    this.#placed = placed;
    this.#manifest = manifest;
    const endBytes = placed === disk ? disk.sizeBytes - backupTableSizeBytes : Infinity;
    this.#heldFrom = Math.floor(endBytes / manifest.chunkSizeBytes);
    this.#missing = new Set(manifest.chunks.keys().filter((index) => manifest.chunks[index] !== null));
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** It was made so, and has not been given its tables since. */
  get isUnbootable(): boolean {
    return this.#isUnbootable;
  }

  missing(): readonly number[] {
    return [...this.#missing];
  }

  /**
   * Finds what the disk holds already, so that only what differs has to come. Changes nothing.
   *
   * @returns whether it went through, or stopped because the disk holds something else
   */
  async compare(
    onProgress: (doneBytes: number, totalBytes: number) => void,
    signal: AbortSignal,
  ): Promise<"compared" | "not-worth-it"> {
    // What is found equal counts as proven, so it has to come from the medium.
    await this.#disk.forgetCached();
    const all = this.missing();
    const step = Math.max(1, Math.floor(all.length / sampleCount));
    const sample = all.filter((_, place) => place % step === 0);
    const equalCount = await this.#findEqual(sample, signal, () => undefined);
    if (equalCount < sample.length * worthwhileShare) {
      return "not-worth-it";
    }
    const seen = new Set(sample);
    const rest = all.filter((index) => !seen.has(index));
    let doneCount = sample.length;
    await this.#findEqual(rest, signal, () => {
      doneCount += 1;
      onProgress(doneCount * this.#manifest.chunkSizeBytes, all.length * this.#manifest.chunkSizeBytes);
    });
    return "compared";
  }

  /** Makes the disk unbootable. */
  async begin(): Promise<void> {
    await this.#disk.write(0, zeros.subarray(0, Math.min(zeros.byteLength, this.#disk.sizeBytes)));
    await this.#disk.write(
      this.#disk.sizeBytes - backupTableSizeBytes,
      zeros.subarray(0, backupTableSizeBytes),
    );
    await this.#disk.flush();
    this.#isUnbootable = true;
  }

  /**
   * Zeroes what the image has as zeros and the disk has not. Comes after the chunks: it may take minutes, in which a whole
   * room would wait. Ends early when it is cancelled.
   */
  async clear(
    onProgress: (doneBytes: number, totalBytes: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { chunks } = this.#manifest;
    const free = freeChunks(this.#manifest);
    const empty = [...chunks.keys()].filter(
      (index) => chunks[index] === null && index !== 0 && !free.has(index),
    );
    let doneBytes = 0;
    await this.#eachOf(empty, async (index, scratch) => {
      const offset = index * this.#manifest.chunkSizeBytes;
      const length = chunkLength(this.#manifest, index);
      const found = await this.#placed.read(offset, length, scratch);
      if (Buffer.compare(found, zeros.subarray(0, length)) !== 0) {
        await this.#placed.write(offset, zeros.subarray(0, length));
        this.#written.add(index);
      }
      doneBytes += length;
      onProgress(doneBytes, empty.length * this.#manifest.chunkSizeBytes);
      return !signal.aborted;
    });
  }

  /**
   * Decompresses, checks and writes one chunk.
   *
   * @returns false when the content is not what the manifest says; nothing was written then.
   */
  async write(index: number, frame: Uint8Array): Promise<boolean> {
    const wanted = this.#manifest.chunks[index];
    if (wanted === undefined || wanted === null || !this.#missing.has(index)) {
      return false;
    }
    const length = chunkLength(this.#manifest, index);
    const content = await decompressChunk(frame, length);
    if (content === null || content.byteLength !== length || hash("sha256", content) !== wanted) {
      return false;
    }
    if (this.#isHeld(index)) {
      this.#held.set(index, content);
    } else {
      await this.#placed.write(index * this.#manifest.chunkSizeBytes, content);
      this.#written.add(index);
    }
    this.#missing.delete(index);
    this.#writtenBytes += length;
    return true;
  }

  /**
   * Reads back from the medium what was written; what was found equal came from it already.
   *
   * @returns the reason when the disk does not hold it
   */
  async verify(onProgress: (doneBytes: number) => void): Promise<string | null> {
    await this.#placed.flush();
    await this.#disk.forgetCached();
    let doneBytes = 0;
    let fault: string | null = null;
    await this.#eachOf([...this.#written], async (index, scratch) => {
      const length = chunkLength(this.#manifest, index);
      const found = await this.#placed.read(index * this.#manifest.chunkSizeBytes, length, scratch);
      const wanted = this.#manifest.chunks[index] ?? null;
      const isEqual =
        wanted === null
          ? Buffer.compare(found, zeros.subarray(0, length)) === 0
          : hash("sha256", found) === wanted;
      if (!isEqual) {
        fault ??= `chunk ${index} reads back differently from what was written; the disk is failing`;
      }
      doneBytes += length;
      onProgress(doneBytes);
      return fault === null;
    });
    return fault;
  }

  /**
   * Writes the partition tables, which make the disk bootable. Everything else must be proven and on the medium.
   *
   * @param change what to make of the image's first chunk
   * @returns the reason when the disk does not hold it
   */
  async complete(change: (first: Uint8Array) => FinalTable): Promise<string | null> {
    const image = this.#held.get(0);
    if (image === undefined) {
      return null;
    }
    const { first, backup } = change(image);
    const pieces = [...this.#held]
      .filter(([index]) => index !== 0)
      .map(([index, bytes]) => ({ startBytes: index * this.#manifest.chunkSizeBytes, bytes }))
      // The image's own backup of its table lies there, which the new one replaces.
      .filter(() => backup === null);
    if (backup !== null) {
      pieces.push({ startBytes: backup.startBytes, bytes: Uint8Array.from(backup.bytes) });
    }
    for (const { startBytes, bytes } of pieces) {
      await this.#disk.write(startBytes, bytes);
    }
    await this.#disk.flush();
    this.#isUnbootable = false;
    await this.#disk.write(0, first);
    await this.#disk.flush();
    await this.#disk.forgetCached();
    for (const { startBytes, bytes } of [{ startBytes: 0, bytes: first }, ...pieces]) {
      const found = await this.#disk.read(startBytes, bytes.byteLength);
      if (Buffer.compare(found, bytes) !== 0) {
        await this.#disk.write(0, zeros.subarray(0, first.byteLength));
        await this.#disk.flush();
        this.#isUnbootable = true;
        return "a partition table reads back differently from what was written; the disk is failing";
      }
    }
    return null;
  }

  #isHeld(index: number): boolean {
    return index === 0 || index >= this.#heldFrom;
  }

  async #findEqual(indices: readonly number[], signal: AbortSignal, onChunk: () => void): Promise<number> {
    let equalCount = 0;
    await this.#eachOf(indices, async (index, scratch) => {
      const length = chunkLength(this.#manifest, index);
      const found = await this.#placed.read(index * this.#manifest.chunkSizeBytes, length, scratch);
      if (hash("sha256", found) === this.#manifest.chunks[index]) {
        this.#missing.delete(index);
        equalCount += 1;
        if (this.#isHeld(index)) {
          this.#held.set(index, found.slice());
        }
      }
      onChunk();
      return !signal.aborted;
    });
    return equalCount;
  }

  /** With some at the same time; ends early when `act` says so. */
  async #eachOf(
    indices: readonly number[],
    act: (index: number, scratch: Uint8Array) => Promise<boolean>,
  ): Promise<void> {
    const next = indices[Symbol.iterator]();
    const reader = async (): Promise<void> => {
      const scratch = alignedMemory(this.#manifest.chunkSizeBytes);
      for (const index of next) {
        if (!(await act(index, scratch))) {
          return;
        }
      }
    };
    await Promise.all(Array.from({ length: readerCount }, reader));
  }
}
