import { hash } from "node:crypto";
import { defaultChunkSizeBytes, encodeManifest, type Manifest } from "#engine/image/manifest.ts";
import { openDisk } from "#platform/disk.ts";
import type { ImageLayout } from "#engine/image/layout.ts";
import type { ChunkHold, ChunkStore } from "./chunk-store.ts";

export type ImportProgress = {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly newChunkCount: number;
  readonly knownChunkCount: number;
};

/** Chunks compressed at the same time: zlib's pool has four threads, and each chunk holds 1 MiB. */
const parallelCount = 4;
const zeros = new Uint8Array(defaultChunkSizeBytes);

function isZero(content: Uint8Array): boolean {
  return Buffer.compare(content, zeros.subarray(0, content.byteLength)) === 0;
}

/**
 * Cuts a raw disk into chunks and stores those the store lacks. An import that was interrupted leaves chunks that the
 * next one finds, and no image.
 */
export async function importRawDisk(
  store: ChunkStore,
  source: { readonly path: string; readonly name: string; readonly layout?: ImageLayout },
  onProgress: (progress: ImportProgress) => void,
  hold?: ChunkHold,
): Promise<{ readonly imageId: string; readonly manifest: Manifest; readonly manifestText: string }> {
  const disk = await openDisk(source.path, "read");
  try {
    const chunkCount = Math.ceil(disk.sizeBytes / defaultChunkSizeBytes);
    const chunks: (string | null)[] = Array.from({ length: chunkCount }, () => null);
    let nextIndex = 0;
    let doneCount = 0;
    let newChunkCount = 0;
    let knownChunkCount = 0;
    const work = async (): Promise<void> => {
      while (nextIndex < chunkCount) {
        const index = nextIndex;
        nextIndex += 1;
        const offset = index * defaultChunkSizeBytes;
        const content = await disk.read(offset, Math.min(defaultChunkSizeBytes, disk.sizeBytes - offset));
        if (!isZero(content)) {
          const { chunkHash, isNew } = await store.put(content, hold);
          chunks[index] = chunkHash;
          newChunkCount += isNew ? 1 : 0;
          knownChunkCount += isNew ? 0 : 1;
        }
        doneCount += 1;
        const doneBytes = Math.min(doneCount * defaultChunkSizeBytes, disk.sizeBytes);
        onProgress({ doneBytes, totalBytes: disk.sizeBytes, newChunkCount, knownChunkCount });
      }
    };
    await Promise.all(Array.from({ length: parallelCount }, work));
    const manifest: Manifest = {
      version: 1,
      name: source.name,
      sizeBytes: disk.sizeBytes,
      chunkSizeBytes: defaultChunkSizeBytes,
      hashAlgorithm: "sha256",
      chunks,
      ...(source.layout === undefined ? {} : { layout: source.layout }),
    };
    const manifestText = encodeManifest(manifest);
    return { imageId: hash("sha256", manifestText), manifest, manifestText };
  } finally {
    await disk.close();
  }
}
