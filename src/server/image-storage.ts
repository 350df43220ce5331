import { decodeManifest } from "#engine/image/manifest.ts";
import type { ImageStore } from "#store/image-store.ts";
import type { PackageStore } from "#store/package-store.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { distinctChunks } from "./image-catalogue.ts";

export type StorageFigures = {
  readonly chunkCount: number;
  /** What the chunks take, each once. */
  readonly storedBytes: number;
  /** What no image, package or user data names any more, and nothing under way needs: a prune would free it. */
  readonly unusedBytes: number;
  /** What the images would take if each had its chunks for itself. */
  readonly imagesBytes: number;
};

/** Hashes that anything of the site names. */
export async function readNamedChunks(images: ImageStore, packages: PackageStore): Promise<Set<string>> {
  const named = new Set<string>();
  const texts = [
    ...(await images.listManifests()).map(({ manifest }) => manifest),
    ...(await packages.listManifests()),
  ];
  for (const text of texts) {
    for (const chunkHash of distinctChunks(decodeManifest(text))) {
      named.add(chunkHash);
    }
  }
  return named;
}

/** What the chunk store takes, and what sharing chunks among images saves. */
export async function measureStorage(
  chunks: ChunkStore,
  images: ImageStore,
  packages: PackageStore,
): Promise<StorageFigures> {
  const named = await readNamedChunks(images, packages);
  let storedBytes = 0;
  let unusedBytes = 0;
  const present = await chunks.list();
  for (const { chunkHash, sizeBytes } of present) {
    storedBytes += sizeBytes;
    unusedBytes += named.has(chunkHash) || chunks.isHeld(chunkHash) ? 0 : sizeBytes;
  }
  const imagesBytes = (await images.list()).reduce((sum, image) => sum + (image.storedBytes ?? 0), 0);
  return { chunkCount: present.length, storedBytes, unusedBytes, imagesBytes };
}

/** What removing one image and pruning would free here, and how many of its chunks are not here. */
export async function measureOwnBytes(
  imageId: string,
  chunks: ChunkStore,
  images: ImageStore,
  packages: PackageStore,
): Promise<{ readonly ownBytes: number; readonly lackingChunkCount: number }> {
  const manifests = await images.listManifests();
  const mine = manifests.find(({ id }) => id === imageId);
  const others = new Set<string>();
  const texts = [
    ...manifests.filter(({ id }) => id !== imageId).map(({ manifest }) => manifest),
    ...(await packages.listManifests()),
  ];
  for (const text of texts) {
    for (const chunkHash of distinctChunks(decodeManifest(text))) {
      others.add(chunkHash);
    }
  }
  let ownBytes = 0;
  let lackingChunkCount = 0;
  for (const chunkHash of mine === undefined ? [] : distinctChunks(decodeManifest(mine.manifest))) {
    if (!(await chunks.has(chunkHash))) {
      lackingChunkCount += 1;
    } else if (!others.has(chunkHash)) {
      ownBytes += await chunks.frameSize(chunkHash);
    }
  }
  return { ownBytes, lackingChunkCount };
}
