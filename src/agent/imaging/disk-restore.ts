import { hash } from "node:crypto";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { chunkLength, freeChunks, type Manifest } from "#engine/image/manifest.ts";
import { type Disk, dropCaches } from "#platform/disk.ts";

const decompress = promisify(zstdDecompress);
const zeros = new Uint8Array(1 << 20);

/**
 * Writes the chunks of one image to one disk. While it works the disk cannot boot: its first and last chunk, which hold
 * both partition tables, are wiped at the start and the first is written last.
 */
export class DiskRestore {
  readonly #disk: Disk;
  readonly #manifest: Manifest;
  /** Chunk indices not written yet. BOUNDED by the manifest. */
  readonly #missing: Set<number>;
  #firstChunk: Uint8Array | null = null;
  #writtenBytes = 0;

  constructor(disk: Disk, manifest: Manifest) {
    this.#disk = disk;
    this.#manifest = manifest;
    this.#missing = new Set(manifest.chunks.keys().filter((index) => manifest.chunks[index] !== null));
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  missing(): readonly number[] {
    return [...this.#missing];
  }

  /** Makes the disk unbootable, then zeroes what the image has as zeros and the disk has not. */
  async begin(onProgress: (doneBytes: number) => void): Promise<void> {
    const { chunks, chunkSizeBytes } = this.#manifest;
    await this.#disk.write(0, zeros.subarray(0, Math.min(zeros.byteLength, this.#disk.sizeBytes)));
    const backupSizeBytes = 34 * 512;
    await this.#disk.write(this.#disk.sizeBytes - backupSizeBytes, zeros.subarray(0, backupSizeBytes));
    await this.#disk.flush();
    const free = freeChunks(this.#manifest);
    for (const [index, chunkHash] of chunks.entries()) {
      if (chunkHash === null && index !== 0 && !free.has(index)) {
        const offset = index * chunkSizeBytes;
        const length = chunkLength(this.#manifest, index);
        const found = await this.#disk.read(offset, length);
        if (Buffer.compare(found, zeros.subarray(0, length)) !== 0) {
          await this.#disk.write(offset, zeros.subarray(0, length));
        }
        onProgress(offset + length);
      }
    }
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
    const content = await decompress(frame, { maxOutputLength: length }).catch(() => null);
    if (content === null || content.byteLength !== length || hash("sha256", content) !== wanted) {
      return false;
    }
    if (index === 0) {
      this.#firstChunk = content;
    } else {
      await this.#disk.write(index * this.#manifest.chunkSizeBytes, content);
    }
    this.#missing.delete(index);
    this.#writtenBytes += length;
    return true;
  }

  /**
   * Reads everything back from the medium, and only then writes the first chunk, which makes the disk bootable.
   *
   * @returns the reason when the disk does not hold what was written
   */
  async finish(onProgress: (doneBytes: number) => void): Promise<string | null> {
    await this.#disk.flush();
    await dropCaches();
    const { chunks, chunkSizeBytes } = this.#manifest;
    let doneBytes = 0;
    for (const [index, chunkHash] of chunks.entries()) {
      if (chunkHash === null || index === 0) {
        continue;
      }
      const length = chunkLength(this.#manifest, index);
      const found = await this.#disk.read(index * chunkSizeBytes, length);
      if (hash("sha256", found) !== chunkHash) {
        return `chunk ${index} reads back differently from what was written; the disk is failing`;
      }
      doneBytes += length;
      onProgress(doneBytes);
    }
    const first = this.#firstChunk;
    if (first === null) {
      return null;
    }
    await this.#disk.write(0, first);
    await this.#disk.flush();
    await dropCaches();
    const found = await this.#disk.read(0, first.byteLength);
    if (Buffer.compare(found, first) !== 0) {
      await this.#disk.write(0, zeros.subarray(0, first.byteLength));
      await this.#disk.flush();
      return "the first chunk reads back differently from what was written; the disk is failing";
    }
    return null;
  }
}
