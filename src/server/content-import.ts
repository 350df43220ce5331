import { hash } from "node:crypto";
import { decodeManifest } from "#engine/image/manifest.ts";
import type { PackageStore } from "#store/package-store.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { importRawDisk, type ImportProgress } from "./image-import.ts";

/** Keeps a manifest whose chunks are all in the store. @returns its id */
export async function keepContent(
  packages: PackageStore,
  manifestText: string,
  nowMs: number,
): Promise<string> {
  const { sizeBytes } = decodeManifest(manifestText);
  const contentId = hash("sha256", manifestText);
  await packages.putContent(contentId, manifestText, sizeBytes, nowMs);
  return contentId;
}

/**
 * Takes a file into the store, cut into chunks as a disk is. The same file again costs reading it.
 *
 * @param name that the manifest carries; part of what its id names
 */
export async function importFile(
  stores: { readonly chunks: ChunkStore; readonly packages: PackageStore },
  source: { readonly path: string; readonly name: string },
  nowMs: number,
  onProgress: (progress: ImportProgress) => void,
): Promise<{ readonly contentId: string; readonly sizeBytes: number }> {
  const hold = stores.chunks.hold();
  try {
    const { manifest, manifestText } = await importRawDisk(stores.chunks, source, onProgress, hold);
    const contentId = await keepContent(stores.packages, manifestText, nowMs);
    return { contentId, sizeBytes: manifest.sizeBytes };
  } finally {
    hold.release();
  }
}
