import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { InstallerStore, StoredInstaller } from "#store/installer-store.ts";
import type { PackageStore } from "#store/package-store.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { decodeKernelImage, type KernelImage, kernelHeadSizeBytes } from "#wire/linux/kernel-image.ts";
import { ApiError } from "./api-error.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { importFile } from "./content-import.ts";
import type { ImportProgress } from "./image-import.ts";

export type InstallerFiles = {
  readonly name: string;
  /** Absolute, on the server. */
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
  readonly description: string;
};

function refuse(message: string): never {
  throw new ApiError(400, "bad-installer", message);
}

async function requireFile(path: string): Promise<void> {
  if (!isAbsolute(path)) {
    refuse(`${path} is no absolute path`);
  }
  const status = await stat(path).catch(() => refuse(`${path} is not on the server`));
  if (!status.isFile() || status.size === 0) {
    refuse(`${path} is no file, or an empty one`);
  }
}

async function readKernel(path: string): Promise<KernelImage> {
  const handle = await open(path, "r");
  try {
    const head = Buffer.alloc(kernelHeadSizeBytes);
    const { bytesRead } = await handle.read(head, 0, head.byteLength, 0);
    return decodeKernelImage(head.subarray(0, bytesRead));
  } catch (error) {
    if (error instanceof WireError) {
      refuse(`${path} is no Linux kernel for x86: it does not begin as one`);
    }
    throw error;
  } finally {
    await handle.close();
  }
}

/** Appends a file to one that is open. @returns its size and hash */
async function append(path: string, target: string): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const writing = createWriteStream(target, { flags: "a", mode: 0o600 });
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(part);
    sizeBytes += part.byteLength;
    if (!writing.write(part)) {
      await new Promise((resolve) => {
        writing.once("drain", resolve);
      });
    }
  }
  await new Promise<void>((resolve, reject) => {
    writing.once("error", reject).end(resolve);
  });
  return { sizeBytes, sha256: hash.digest("hex") };
}

/**
 * Takes a distribution's installer into the store. Kernel and initrd are one content, so that one transfer brings both.
 *
 * @throws ApiError `bad-installer` with what is wrong
 */
export async function importInstaller(
  stores: {
    readonly chunks: ChunkStore;
    readonly packages: PackageStore;
    readonly installers: InstallerStore;
  },
  { name, kernel, initrd, commandLine, description }: InstallerFiles,
  nowMs: number,
  onProgress: (progress: ImportProgress) => void,
): Promise<StoredInstaller> {
  await requireFile(kernel);
  await requireFile(initrd);
  const { version, isSigned } = await readKernel(kernel);
  const folder = await mkdtemp(join(tmpdir(), "portolan-installer-"));
  try {
    const path = join(folder, "installer");
    const [first, second] = [await append(kernel, path), await append(initrd, path)];
    const content = await importFile(stores, { path, name }, nowMs, onProgress);
    const stored: StoredInstaller = {
      id: `n-${randomBytes(4).toString("hex")}`,
      definition: {
        ...{ name, description, commandLine, kernelVersion: version, isSigned },
        ...{ kernelSizeBytes: first.sizeBytes, kernelSha256: first.sha256, initrdSha256: second.sha256 },
      },
      ...content,
      createdAtMs: nowMs,
    };
    await stores.installers.put(stored);
    return stored;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
