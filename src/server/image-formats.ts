import { open, rename, rm, truncate, writeFile } from "node:fs/promises";
import type { ImageLayout } from "#engine/image/layout.ts";
import { chunkLength, type Manifest } from "#engine/image/manifest.ts";
import { decompressChunk } from "#platform/chunk-frame.ts";
import { type Disk, openDisk } from "#platform/disk.ts";
import { readPartitions } from "#platform/partition-reader.ts";
import { runProgram } from "#platform/run-program.ts";
import { detectFileSystem, detectionSizeBytes } from "#wire/filesystem/detect-file-system.ts";
import { ChunkError, type ChunkStore } from "./chunk-store.ts";
import { ImageFileError, imageFileMagic } from "./image-file.ts";

const convertTimeoutMs = 12 * 3_600_000;

export type DiskFormat = "raw" | "qcow2" | "portolan";

/** What a file is, by its first bytes. */
export async function detectFormat(path: string): Promise<DiskFormat> {
  const file = await open(path, "r");
  try {
    const { buffer } = await file.read(Buffer.alloc(16), 0, 16, 0);
    const start = buffer.toString("latin1");
    return start === imageFileMagic ? "portolan" : start.startsWith("QFI\u00fb") ? "qcow2" : "raw";
  } finally {
    await file.close();
  }
}

/** @throws ImageFileError with qemu-img's words */
export async function convertDisk(
  from: { readonly path: string; readonly format: "raw" | "qcow2" },
  to: { readonly path: string; readonly format: "raw" | "qcow2" },
): Promise<void> {
  const outcome = await runProgram({
    program: "qemu-img",
    // Formats are named: a raw disk whose content looks like another format stays what it is.
    args: ["convert", "-f", from.format, "-O", to.format, from.path, to.path],
    timeoutMs: convertTimeoutMs,
    outputBytesMax: 1000,
  });
  if (outcome.type !== "exited" || outcome.exitCode !== 0) {
    await rm(to.path, { force: true });
    const why =
      outcome.type === "not-started"
        ? `${outcome.reason}; install it with: apt-get install qemu-utils`
        : outcome.output.trim();
    throw new ImageFileError(`qemu-img could not convert ${from.path}: ${why}`);
  }
}

/** Writes the disk of an image to a file, which is there as a whole or not at all. */
export async function writeRawDisk(
  path: string,
  manifest: Manifest,
  chunks: ChunkStore,
  onProgress: (doneCount: number, totalCount: number) => void,
): Promise<void> {
  const unfinished = `${path}.unfinished`;
  try {
    await writeFile(unfinished, "");
    await truncate(unfinished, manifest.sizeBytes);
    const disk = await openDisk(unfinished, "write");
    try {
      for (const [index, chunkHash] of manifest.chunks.entries()) {
        if (chunkHash !== null) {
          const length = chunkLength(manifest, index);
          const content = await decompressChunk(await chunks.readFrame(chunkHash), length);
          if (content?.byteLength !== length) {
            throw new ChunkError("chunk-damaged", chunkHash);
          }
          await disk.write(index * manifest.chunkSizeBytes, content);
        }
        onProgress(index + 1, manifest.chunks.length);
      }
      await disk.flush();
    } finally {
      await disk.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** What is on a disk that is imported; every block of it is taken. */
export async function describeLayout(disk: Disk): Promise<ImageLayout> {
  const { tableType, sectorSizeBytes, partitions } = await readPartitions(disk);
  const described = [];
  for (const { number, startBytes, sizeBytes, typeId, name } of partitions) {
    const lookBytes = Math.max(0, Math.min(detectionSizeBytes, sizeBytes, disk.sizeBytes - startBytes));
    described.push({
      ...{ number, startBytes, sizeBytes, typeId, name: name.slice(0, 128) },
      fileSystem: detectFileSystem(await disk.read(startBytes, lookBytes)),
      taken: "all" as const,
      usedBytes: null,
      note: null,
    });
  }
  return { tableType, sectorSizeBytes, partitions: described };
}
