import { hash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { decompressChunk } from "#platform/chunk-frame.ts";
import { chunkLength, type Manifest } from "#engine/image/manifest.ts";
import { DiskError } from "#platform/disk.ts";
import type { ChunkSink } from "./chunk-sink.ts";

/** Writes the chunks of one manifest into a file. What an earlier attempt left there and is right is not fetched again. */
export class FileReceipt implements ChunkSink {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #manifest: Manifest;
  /** Chunk indices not there yet. BOUNDED by the manifest. */
  readonly #missing: Set<number>;
  #doneBytes = 0;

  private constructor(path: string, handle: FileHandle, manifest: Manifest, missing: Set<number>) {
    this.#path = path;
    this.#handle = handle;
    this.#manifest = manifest;
    this.#missing = missing;
    for (const index of manifest.chunks.keys()) {
      this.#doneBytes += missing.has(index) ? 0 : chunkLength(manifest, index);
    }
  }

  /** Creates the file, or goes on with the one that is there. Nobody else may read it before it is whole. */
  static async open(path: string, manifest: Manifest): Promise<FileReceipt> {
    await mkdir(dirname(path), { recursive: true });
    // A link that somebody put there must not lead us to another file.
    const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
    const handle = await open(path, flags, 0o600);
    const missing = new Set<number>();
    const { size } = await handle.stat();
    for (const [index, chunkHash] of manifest.chunks.entries()) {
      const length = chunkLength(manifest, index);
      const from = index * manifest.chunkSizeBytes;
      const isThere = from + length <= size && (await hasContent(handle, from, length, chunkHash));
      if (chunkHash === null) {
        if (!isThere) {
          await handle.write(new Uint8Array(length), 0, length, from);
        }
      } else if (!isThere) {
        missing.add(index);
      }
    }
    await handle.truncate(manifest.sizeBytes);
    return new FileReceipt(path, handle, manifest, missing);
  }

  get doneBytes(): number {
    return this.#doneBytes;
  }

  missing(): readonly number[] {
    return [...this.#missing];
  }

  /** @throws DiskError when the file system does not take it */
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
    const offset = index * this.#manifest.chunkSizeBytes;
    await this.#handle.write(content, 0, length, offset).catch((cause: unknown) => {
      throw new DiskError(this.#path, `written at byte ${offset}`, cause);
    });
    this.#missing.delete(index);
    this.#doneBytes += length;
    return true;
  }

  /** Content is on the medium when it returns. */
  async close(): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
  }
}

async function hasContent(
  handle: FileHandle,
  from: number,
  length: number,
  chunkHash: string | null,
): Promise<boolean> {
  const found = Buffer.alloc(length);
  const { bytesRead } = await handle.read(found, 0, length, from);
  return (
    bytesRead === length &&
    (chunkHash === null ? found.every((byte) => byte === 0) : hash("sha256", found) === chunkHash)
  );
}
