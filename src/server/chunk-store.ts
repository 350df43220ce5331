import { hash } from "node:crypto";
import { access, readdir, readFile, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { compressChunk } from "#platform/chunk-frame.ts";
import { writeDurably } from "#platform/durable-file.ts";
import { FrameChecker } from "#platform/frame-checker.ts";
import { ChunkArrival } from "./chunk-arrival.ts";

/** The largest chunk a manifest may have. */
const contentSizeBytesMax = 1 << 20;

/*
 * Room that chunks leave: the database usually lies on the same file system, and where it cannot write no failure is recorded and
 * nothing ends. A 32nd of the file system, within bounds.
 */
const reserveBytesMin = 4 << 20;
const reserveBytesMax = 256 << 20;

/** A chunk on the disk is not what its name says, or is not there. */
export class ChunkError extends Error {
  readonly code: "chunk-missing" | "chunk-damaged";

  constructor(code: ChunkError["code"], chunkHash: string, options?: ErrorOptions) {
    const what = code === "chunk-missing" ? "is not in the store" : "is damaged on the disk";
    super(`chunk ${chunkHash} ${what}; import the image again`, options);
    this.name = "ChunkError";
    this.code = code;
  }
}

/** The file system of the chunks takes no more. What it has stored stays, and is not sent or read again. */
export class ChunkStoreFullError extends Error {
  readonly code = "store-full";

  constructor(folder: string, options?: ErrorOptions) {
    super(
      `no space left on the server for chunks, in ${folder}: give it room, or remove images and run portolan image ` +
        "prune; then do this again, what is stored already stays",
      options,
    );
    this.name = "ChunkStoreFullError";
  }
}

/** Full, or over a quota. */
function isFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

/** Chunks that work under way counts on before an image names them. */
export type ChunkHold = {
  add(chunkHash: string): void;
  release(): void;
};

/** Each chunk once, as a file named by the SHA-256 of its content, holding one zstd frame. */
export class ChunkStore {
  readonly #folder: string;
  readonly #checker = new FrameChecker();
  /** Chunks being written, keyed by hash: equal ones come at the same time. BOUNDED by the callers' parallel puts. */
  readonly #writing = new Map<string, Promise<void>>();
  /** BOUNDED by imports and uploads at the same time, each by the chunks of one content. */
  readonly #holds = new Set<ReadonlySet<string>>();
  /** Chunks being removed, keyed by hash. BOUNDED by the one prune that runs. */
  readonly #removing = new Map<string, Promise<void>>();

  /** BOUNDED by the captures that others get an image from meanwhile. */
  readonly #arrivals = new Set<ChunkArrival>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Of these chunks those that are not here are going to be stored: until `forget`, who reads one waits for it. */
  async expect(chunkHashes: Iterable<string>): Promise<ChunkArrival> {
    const lacking: string[] = [];
    for (const chunkHash of chunkHashes) {
      if (!(await this.has(chunkHash))) {
        lacking.push(chunkHash);
      }
    }
    const arrival = new ChunkArrival(lacking);
    this.#arrivals.add(arrival);
    return arrival;
  }

  forget(arrival: ChunkArrival): void {
    this.#arrivals.delete(arrival);
  }

  isExpected(chunkHash: string): boolean {
    return this.#findArrival(chunkHash) !== undefined;
  }

  #findArrival(chunkHash: string): ChunkArrival | undefined {
    return [...this.#arrivals].find((arrival) => arrival.isExpected(chunkHash));
  }

  /** Keeps what is added to it from being pruned until it is released. */
  hold(): ChunkHold {
    const held = new Set<string>();
    this.#holds.add(held);
    return { add: (chunkHash) => held.add(chunkHash), release: () => this.#holds.delete(held) };
  }

  /** Something under way needs it, although nothing may name it yet. */
  isHeld(chunkHash: string): boolean {
    return this.#writing.has(chunkHash) || [...this.#holds].some((held) => held.has(chunkHash));
  }

  /** Stores the content if it is new. Durable when it returns. @throws ChunkStoreFullError */
  async put(
    content: Uint8Array,
    hold?: ChunkHold,
  ): Promise<{ readonly chunkHash: string; readonly isNew: boolean }> {
    const chunkHash = hash("sha256", content);
    // Held before it is looked for: it could be pruned between the look and the manifest.
    hold?.add(chunkHash);
    const writing = this.#writing.get(chunkHash);
    if (writing !== undefined) {
      await writing;
      return { chunkHash, isNew: false };
    }
    let isNew = false;
    const work = this.#write(chunkHash, content).then((isWritten) => {
      isNew = isWritten;
    });
    this.#writing.set(chunkHash, work);
    try {
      await work;
    } finally {
      this.#writing.delete(chunkHash);
    }
    return { chunkHash, isNew };
  }

  /**
   * Stores a frame that a computer sent. Durable when it returns.
   *
   * @returns false when it does not hold what the name says; nothing was stored then.
   * @throws ChunkStoreFullError
   */
  async putFrame(chunkHash: string, frame: Uint8Array): Promise<boolean> {
    if ((await this.#checker.hashContent(frame, contentSizeBytesMax)) !== chunkHash) {
      return false;
    }
    const writing = this.#writing.get(chunkHash);
    if (writing !== undefined) {
      await writing;
      return true;
    }
    const work = this.#writeFrame(chunkHash, () => Promise.resolve(frame)).then(() => undefined);
    this.#writing.set(chunkHash, work);
    try {
      await work;
    } finally {
      this.#writing.delete(chunkHash);
    }
    return true;
  }

  async has(chunkHash: string): Promise<boolean> {
    await this.#removing.get(chunkHash);
    return exists(this.#pathOf(chunkHash));
  }

  /** Every chunk with the size of its frame, in no order. */
  async list(): Promise<{ readonly chunkHash: string; readonly sizeBytes: number }[]> {
    const found: { readonly chunkHash: string; readonly sizeBytes: number }[] = [];
    for (const folder of await this.#folders()) {
      for (const name of await readdir(join(this.#folder, folder))) {
        const chunkHash = /^([0-9a-f]{64})\.zst$/.exec(name)?.[1];
        if (chunkHash !== undefined) {
          found.push({ chunkHash, sizeBytes: await this.frameSize(chunkHash) });
        }
      }
    }
    return found;
  }

  /** @returns false when work under way counts on it, or is just writing it; it stays then */
  async remove(chunkHash: string): Promise<boolean> {
    if (this.isHeld(chunkHash)) {
      return false;
    }
    const work = rm(this.#pathOf(chunkHash), { force: true });
    this.#removing.set(chunkHash, work);
    try {
      await work;
    } finally {
      this.#removing.delete(chunkHash);
    }
    return true;
  }

  /** Temporary files of servers that were killed while they wrote. */
  async removeLeftovers(): Promise<void> {
    for (const folder of await this.#folders()) {
      for (const name of await readdir(join(this.#folder, folder))) {
        const pid = /\.zst\.(\d+)\.tmp$/.exec(name)?.[1];
        if (pid !== undefined && Number(pid) !== process.pid) {
          await rm(join(this.#folder, folder, name), { force: true });
        }
      }
    }
  }

  async #folders(): Promise<string[]> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") {
        return [];
      }
      throw error;
    });
    return names.filter((name) => /^[0-9a-f]{2}$/.test(name));
  }

  /**
   * The zstd frame as it is on the disk; one that is expected is waited for.
   *
   * @throws ChunkError `chunk-missing`, or why an expected one will not come
   */
  async readFrame(chunkHash: string): Promise<Buffer> {
    await this.#findArrival(chunkHash)?.wait(chunkHash);
    try {
      return await readFile(this.#pathOf(chunkHash));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") {
        throw new ChunkError("chunk-missing", chunkHash, { cause: error });
      }
      throw error;
    }
  }

  /** Size of the stored frame. @throws ChunkError `chunk-missing` */
  async frameSize(chunkHash: string): Promise<number> {
    const status = await stat(this.#pathOf(chunkHash)).catch((error: unknown) => {
      throw new ChunkError("chunk-missing", chunkHash, { cause: error });
    });
    return status.size;
  }

  /** @throws ChunkError when the chunk is absent or does not hash to its name */
  async verify(chunkHash: string): Promise<void> {
    const frame = await this.readFrame(chunkHash);
    if ((await this.#checker.hashContent(frame, contentSizeBytesMax)) !== chunkHash) {
      throw new ChunkError("chunk-damaged", chunkHash);
    }
  }

  #write(chunkHash: string, content: Uint8Array): Promise<boolean> {
    return this.#writeFrame(chunkHash, () => compressChunk(content));
  }

  /** False when it was there already. */
  async #writeFrame(chunkHash: string, makeFrame: () => Promise<Uint8Array>): Promise<boolean> {
    const path = this.#pathOf(chunkHash);
    await this.#removing.get(chunkHash);
    if (await exists(path)) {
      return false;
    }
    const frame = await makeFrame();
    await this.#requireRoom(frame.byteLength);
    try {
      await writeDurably(path, frame);
    } catch (error) {
      throw isFull(error) ? new ChunkStoreFullError(this.#folder, { cause: error }) : error;
    }
    this.#arrivals.forEach((arrival) => arrival.arrived(chunkHash));
    return true;
  }

  /** @throws ChunkStoreFullError */
  async #requireRoom(sizeBytes: number): Promise<void> {
    // The folder is made with the first chunk.
    const status = await statfs(this.#folder).catch(() => null);
    if (status === null) {
      return;
    }
    const { blocks, bavail, bsize } = status;
    const reserveBytes = Math.min(reserveBytesMax, Math.max(reserveBytesMin, (blocks * bsize) / 32));
    if (bavail * bsize < reserveBytes + sizeBytes) {
      throw new ChunkStoreFullError(this.#folder);
    }
  }

  #pathOf(chunkHash: string): string {
    return join(this.#folder, chunkHash.slice(0, 2), `${chunkHash}.zst`);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return false;
    }
    throw error;
  }
}
