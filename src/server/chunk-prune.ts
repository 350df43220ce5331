import type { ChunkStore } from "./chunk-store.ts";

export type PruneProgress = {
  readonly doneCount: number;
  readonly totalCount: number;
  readonly removedCount: number;
  readonly removedBytes: number;
};

/**
 * Removes chunks that nothing names. May be killed at any moment and run again: what is named is never touched, and each
 * chunk goes as a whole.
 *
 * @param readNamed hashes of every manifest of the site. Asked after the chunks were listed, so that a content that was
 *   finished meanwhile counts; what is under way holds its chunks itself.
 */
export async function pruneChunks(
  chunks: ChunkStore,
  readNamed: () => Promise<ReadonlySet<string>>,
  onProgress: (progress: PruneProgress) => void,
): Promise<PruneProgress> {
  const present = await chunks.list();
  const named = await readNamed();
  let removedCount = 0;
  let removedBytes = 0;
  for (const [index, { chunkHash, sizeBytes }] of present.entries()) {
    if (!named.has(chunkHash) && (await chunks.remove(chunkHash))) {
      removedCount += 1;
      removedBytes += sizeBytes;
    }
    onProgress({ doneCount: index + 1, totalCount: present.length, removedCount, removedBytes });
  }
  await chunks.removeLeftovers();
  return { doneCount: present.length, totalCount: present.length, removedCount, removedBytes };
}
