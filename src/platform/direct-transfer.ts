import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { alignedMemory, blockSizeBytes, isAligned } from "./aligned-memory.ts";

/** Copies of what is written from memory that is not aligned; one for each write at a time, and a few are kept. */
const spareCountMax = 4;

/**
 * Reads and writes a block device past the kernel's cache (O_DIRECT): what is read comes from the medium, and nothing is
 * copied. An imaged disk is read once, so that caching it is of no use to anybody.
 */
export class DirectTransfer {
  readonly #handle: FileHandle;
  /** BOUNDED by `spareCountMax`. */
  readonly #spare: Uint8Array[] = [];

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** @returns `null` where the system or the device has no direct transfers */
  static async open(path: string, mode: "read" | "write"): Promise<DirectTransfer | null> {
    const direct = constants.O_DIRECT as number | undefined;
    if (direct === undefined || !isAligned(alignedMemory(blockSizeBytes))) {
      return null;
    }
    const access = mode === "read" ? constants.O_RDONLY : constants.O_RDWR;
    const handle = await open(path, access | direct).catch(() => null);
    return handle === null ? null : new DirectTransfer(handle);
  }

  /** @returns false when this piece cannot be read directly, and nothing was read */
  async read(offset: number, into: Uint8Array): Promise<boolean> {
    if (!isWhole(offset, into.byteLength) || !isAligned(into)) {
      return false;
    }
    const { bytesRead } = await this.#handle.read(into, 0, into.byteLength, offset).catch(nothingIfRefused);
    return bytesRead === into.byteLength;
  }

  /** @returns false when this piece cannot be written directly; write it in another way then */
  async write(offset: number, bytes: Uint8Array): Promise<boolean> {
    if (!isWhole(offset, bytes.byteLength)) {
      return false;
    }
    const written = isAligned(bytes)
      ? this.#handle.write(bytes, 0, bytes.byteLength, offset)
      : this.#writeCopy(offset, bytes);
    const { bytesWritten } = await written.catch(nothingIfRefused);
    return bytesWritten === bytes.byteLength;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #writeCopy(offset: number, bytes: Uint8Array): Promise<{ readonly bytesWritten: number }> {
    const spare = this.#spare.pop();
    const memory =
      spare !== undefined && spare.byteLength >= bytes.byteLength ? spare : alignedMemory(bytes.byteLength);
    memory.set(bytes);
    try {
      return await this.#handle.write(memory, 0, bytes.byteLength, offset);
    } finally {
      if (this.#spare.length < spareCountMax) {
        this.#spare.push(memory);
      }
    }
  }
}

function isWhole(offset: number, sizeBytes: number): boolean {
  return offset % blockSizeBytes === 0 && sizeBytes % blockSizeBytes === 0;
}

/** A device with larger blocks, or one that takes nothing directly, says EINVAL. */
function nothingIfRefused(error: unknown): { readonly bytesRead: number; readonly bytesWritten: number } {
  if (error instanceof Error && "code" in error && error.code === "EINVAL") {
    return { bytesRead: 0, bytesWritten: 0 };
  }
  throw error;
}
