import { hash } from "node:crypto";
import type { ImageLayout } from "#engine/image/layout.ts";
import { defaultChunkSizeBytes, encodeManifest, type Manifest } from "#engine/image/manifest.ts";
import { alignedMemory } from "#platform/aligned-memory.ts";
import type { Disk } from "#platform/disk.ts";
import { toRanges } from "#wire/control/imaging-messages.ts";
import { type ByteRange, RangeCursor } from "./byte-range.ts";
import { ChunkUpload } from "./chunk-upload.ts";
import type { TransferClient } from "#platform/transfer-client.ts";

const zeros = new Uint8Array(defaultChunkSizeBytes);
/** Chunks in work at the same time; each holds its content and its frame. */
const workerCount = 8;
const questionCountMax = 1024;

function isZero(content: Uint8Array): boolean {
  return Buffer.compare(content, zeros.subarray(0, content.byteLength)) === 0;
}

type Piece = { readonly index: number; readonly parts: readonly ByteRange[] };

export type CaptureProgress = { readonly doneBytes: number; readonly sentBytes: number };

/**
 * Reads what a disk uses, names it chunk by chunk, and sends what the server lacks. What was named is remembered, so
 * that a capture whose connection broke goes on where it was.
 */
export class DiskCapture {
  readonly #disk: Disk;
  readonly #name: string;
  readonly #layout: ImageLayout;
  readonly #pieces: readonly Piece[];
  readonly #chunkCount: number;
  /** Keyed by chunk index; `null`: all zero. BOUNDED by the disk's chunks. */
  readonly #hashes = new Map<number, string | null>();
  /** Content that is on its way or stored, by hash. BOUNDED by the disk's chunks. */
  readonly #known = new Set<string>();

  constructor(disk: Disk, name: string, layout: ImageLayout, used: readonly ByteRange[]) {
    this.#disk = disk;
    this.#name = name;
    this.#layout = layout;
    this.#chunkCount = Math.ceil(disk.sizeBytes / defaultChunkSizeBytes);
    const cursor = new RangeCursor(used);
    this.#pieces = Array.from({ length: this.#chunkCount }, (_, index) => ({
      index,
      parts: cursor.within(index * defaultChunkSizeBytes, (index + 1) * defaultChunkSizeBytes),
    })).filter(({ parts }) => parts.length > 0);
  }

  /** What has to be read, in whole chunks. */
  get totalBytes(): number {
    return this.#pieces.length * defaultChunkSizeBytes;
  }

  /** Reads and names everything that is not named yet; nothing is sent. */
  async nameAll(onProgress: (doneBytes: number) => void, signal: AbortSignal): Promise<void> {
    const todo = this.#pieces.filter(({ index }) => !this.#hashes.has(index));
    await this.#work(todo, signal, async (piece, memory) => {
      const content = await this.#read(piece, memory);
      this.#hashes.set(piece.index, isZero(content) ? null : hash("sha256", content));
      onProgress(this.#hashes.size * defaultChunkSizeBytes);
    });
  }

  /** Of what has been named. */
  manifestText(): string {
    return encodeManifest(this.#manifest());
  }

  /** Sends everything but the manifest, which is returned. @throws whatever the connection ends with */
  async send(
    transfer: TransferClient,
    onProgress: (progress: CaptureProgress) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const upload = new ChunkUpload(transfer);
    if (this.#hashes.size > 0) {
      await this.#sendNamed(transfer, upload, onProgress, signal);
    }
    const todo = this.#pieces.filter(({ index }) => !this.#hashes.has(index));
    await this.#work(todo, signal, async (piece, memory) => {
      await this.#send(piece, upload, memory);
      const doneBytes = this.#hashes.size * defaultChunkSizeBytes;
      onProgress({ doneBytes, sentBytes: upload.sentBytes });
    });
    return this.manifestText();
  }

  async #work(
    pieces: readonly Piece[],
    signal: AbortSignal,
    act: (piece: Piece, memory: Uint8Array) => Promise<void>,
  ): Promise<void> {
    const next = pieces[Symbol.iterator]();
    const worker = async (): Promise<void> => {
      // One chunk's memory for each: that much for every chunk would keep the garbage collector busy.
      const memory = alignedMemory(defaultChunkSizeBytes);
      for (const piece of next) {
        signal.throwIfAborted();
        await act(piece, memory);
      }
    };
    await Promise.all(Array.from({ length: workerCount }, worker));
  }

  async #send(piece: Piece, upload: ChunkUpload, memory: Uint8Array): Promise<void> {
    const content = await this.#read(piece, memory);
    if (isZero(content)) {
      this.#hashes.set(piece.index, null);
      return;
    }
    const chunkHash = hash("sha256", content);
    if (!this.#known.has(chunkHash)) {
      this.#known.add(chunkHash);
      try {
        if (await upload.isLacking(chunkHash)) {
          await upload.send(chunkHash, content);
        }
      } catch (error) {
        this.#known.delete(chunkHash);
        throw error;
      }
    }
    this.#hashes.set(piece.index, chunkHash);
  }

  /** What is named and not in the store: never sent, or swallowed by a broken connection. */
  async #sendNamed(
    transfer: TransferClient,
    upload: ChunkUpload,
    onProgress: (progress: CaptureProgress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const hashes = [...new Set(this.#hashes.values())].filter((chunkHash) => chunkHash !== null);
    const lacking = new Set<string>();
    for (let from = 0; from < hashes.length; from += questionCountMax) {
      for (const chunkHash of await transfer.lacking(hashes.slice(from, from + questionCountMax))) {
        lacking.add(chunkHash);
      }
    }
    const pieces = this.#pieces.filter(({ index }) => {
      const chunkHash = this.#hashes.get(index) ?? null;
      return chunkHash !== null && lacking.delete(chunkHash);
    });
    let doneCount = this.#hashes.size - pieces.length;
    await this.#work(pieces, signal, async (piece, memory) => {
      const content = await this.#read(piece, memory);
      const chunkHash = hash("sha256", content);
      if (chunkHash !== this.#hashes.get(piece.index)) {
        throw new Error("the disk changes while it is captured; something else writes to it");
      }
      // Asked again: a server that can take no more says so in this answer.
      if (await upload.isLacking(chunkHash)) {
        await upload.send(chunkHash, content);
      }
      doneCount += 1;
      onProgress({ doneBytes: doneCount * defaultChunkSizeBytes, sentBytes: upload.sentBytes });
    });
  }

  /** The chunk with what is not in use as zeros, so that equal disks give equal chunks. Lies in `memory`. */
  async #read({ index, parts }: Piece, memory: Uint8Array): Promise<Uint8Array> {
    const offset = index * defaultChunkSizeBytes;
    const content = memory.subarray(0, Math.min(defaultChunkSizeBytes, this.#disk.sizeBytes - offset));
    const from = (parts[0]?.startBytes ?? offset) - offset;
    const last = parts.at(-1);
    const end = last === undefined ? from : last.startBytes + last.sizeBytes - offset;
    await this.#disk.read(offset + from, end - from, content.subarray(from, end));
    let usedEnd = 0;
    for (const { startBytes, sizeBytes } of parts) {
      content.fill(0, usedEnd, startBytes - offset);
      usedEnd = startBytes - offset + sizeBytes;
    }
    content.fill(0, usedEnd);
    return content;
  }

  #manifest(): Manifest {
    const taken = new Set(this.#pieces.map(({ index }) => index));
    const indices = Array.from({ length: this.#chunkCount }, (_, index) => index);
    return {
      version: 1,
      name: this.#name,
      sizeBytes: this.#disk.sizeBytes,
      chunkSizeBytes: defaultChunkSizeBytes,
      hashAlgorithm: "sha256",
      chunks: indices.map((index) => this.#hashes.get(index) ?? null),
      free: toRanges(indices.filter((index) => !taken.has(index))),
      layout: this.#layout,
    };
  }
}
