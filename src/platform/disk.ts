import { type FileHandle, open, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { realpathSync } from "node:fs";
import { runProgram } from "./run-program.ts";

/** A block device or a disk image file, read and written at offsets. */
export type Disk = {
  readonly sizeBytes: number;
  /** @param into memory to use again, at least as long; fresh memory costs more than the reading itself */
  read(offset: number, sizeBytes: number, into?: Uint8Array): Promise<Uint8Array>;
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Content and metadata are on the medium when it returns. */
  flush(): Promise<void>;
  /** Lets the kernel forget what it has cached of it, so that the next read comes from the medium. Root only. */
  forgetCached(): Promise<void>;
  close(): Promise<void>;
};

/** Size of a block device from sysfs (in 512-byte sectors, whatever the device's own), of a file from its length. */
async function sizeOf(path: string, handle: FileHandle): Promise<number> {
  const status = await handle.stat();
  if (status.isFile()) {
    return status.size;
  }
  const name = basename(realpathSync(path));
  return Number(await readFile(`/sys/class/block/${name}/size`, "utf8")) * 512;
}

export async function openDisk(path: string, mode: "read" | "write"): Promise<Disk> {
  const handle = await open(path, mode === "read" ? "r" : "r+");
  const sizeBytes = await sizeOf(path, handle);
  const isBlockDevice = (await handle.stat()).isBlockDevice();
  return {
    sizeBytes,
    async read(offset, length, into = new Uint8Array(length)) {
      const bytes = into.subarray(0, length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) {
          throw new Error(`${path} ended at ${offset + done} of ${offset + length}`);
        }
        done += bytesRead;
      }
      return bytes;
    },
    async write(offset, bytes) {
      let done = 0;
      while (done < bytes.byteLength) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, offset + done);
        done += bytesWritten;
      }
    },
    flush: () => handle.sync(),
    forgetCached: () => (isBlockDevice ? flushBuffers(path) : dropCaches()),
    close: () => handle.close(),
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
