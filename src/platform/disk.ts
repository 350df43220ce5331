import { type FileHandle, open, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { realpathSync } from "node:fs";
import { alignedMemory } from "./aligned-memory.ts";
import { DirectTransfer } from "./direct-transfer.ts";
import { runProgram } from "./run-program.ts";

/** A block device or a disk image file, read and written at offsets. */
export type Disk = {
  readonly sizeBytes: number;
  /** @param into memory to use again, at least as long, from `alignedMemory`; fresh memory costs more than the reading */
  read(offset: number, sizeBytes: number, into?: Uint8Array): Promise<Uint8Array>;
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Content and metadata are on the medium when it returns. */
  flush(): Promise<void>;
  /** Lets the kernel forget what it has cached of it, so that the next read comes from the medium. Root only. */
  forgetCached(): Promise<void>;
  close(): Promise<void>;
};

/** A disk did not do what it was told; `message` says which one, where, and what to do about it. */
export class DiskError extends Error {
  readonly code = "disk-failed";

  constructor(path: string, what: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const isFull = cause instanceof Error && "code" in cause && cause.code === "ENOSPC";
    const advice = isFull ? "it has no room" : "the disk is failing; look at its cables and replace it";
    super(`${path} could not be ${what}: ${why}; ${advice}`, { cause });
    this.name = "DiskError";
  }
}

/** Size of a block device from sysfs (in 512-byte sectors, whatever the device's own), of a file from its length. */
async function sizeOf(path: string, handle: FileHandle): Promise<number> {
  const status = await handle.stat();
  if (status.isFile()) {
    return status.size;
  }
  const name = basename(realpathSync(path));
  return Number(await readFile(`/sys/class/block/${name}/size`, "utf8")) * 512;
}

/** @throws as the operating system does when it cannot be opened; later DiskError */
export async function openDisk(path: string, mode: "read" | "write"): Promise<Disk> {
  const failing = (what: string) => (cause: unknown) => {
    throw new DiskError(path, what, cause);
  };
  const handle = await open(path, mode === "read" ? "r" : "r+");
  const sizeBytes = await sizeOf(path, handle);
  const isBlockDevice = (await handle.stat()).isBlockDevice();
  const direct = isBlockDevice ? await DirectTransfer.open(path, mode) : null;
  return {
    sizeBytes,
    async read(offset, length, into = alignedMemory(length)) {
      const bytes = into.subarray(0, length);
      if ((await direct?.read(offset, bytes).catch(failing(`read at byte ${offset}`))) === true) {
        return bytes;
      }
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle
          .read(bytes, done, length - done, offset + done)
          .catch(failing(`read at byte ${offset + done}`));
        if (bytesRead === 0) {
          throw new Error(`${path} ended at ${offset + done} of ${offset + length}`);
        }
        done += bytesRead;
      }
      return bytes;
    },
    async write(offset, bytes) {
      if ((await direct?.write(offset, bytes).catch(failing(`written at byte ${offset}`))) === true) {
        return;
      }
      let done = 0;
      while (done < bytes.byteLength) {
        const { bytesWritten } = await handle
          .write(bytes, done, bytes.byteLength - done, offset + done)
          .catch(failing(`written at byte ${offset + done}`));
        done += bytesWritten;
      }
    },
    flush: () => handle.sync().catch(failing("written to its medium")),
    forgetCached: () => (isBlockDevice ? flushBuffers(path) : dropCaches()),
    async close() {
      await direct?.close();
      await handle.close();
    },
  };
}

/** Of one device alone: the rest of the system keeps what it works with. */
async function flushBuffers(path: string): Promise<void> {
  const args = ["--flushbufs", path];
  const outcome = await runProgram({
    program: "blockdev",
    args,
    timeoutMs: 10 * 60_000,
    outputBytesMax: 256,
  });
  if (outcome.type !== "exited" || outcome.exitCode !== 0) {
    const why = outcome.type === "not-started" ? outcome.reason : outcome.output.trim();
    throw new Error(`what is cached of ${path} could not be dropped: ${why}`);
  }
}

/** A file's pages cannot be named from here, so all of them go. */
async function dropCaches(): Promise<void> {
  const handle = await open("/proc/sys/vm/drop_caches", "w");
  try {
    await handle.write("3\n");
  } finally {
    await handle.close();
  }
}
