import { hash } from "node:crypto";
import { open } from "node:fs/promises";
import { compressChunk } from "#platform/chunk-frame.ts";
import { defaultChunkSizeBytes, encodeManifest, type Manifest } from "#engine/image/manifest.ts";
import type { TransferClient } from "#platform/transfer-client.ts";

/** Chunks hashed, asked for and sent together; each holds 1 MiB. */
const batchCount = 16;

/** Stores a file on the server, chunk by chunk; what the store has already is not sent. An empty file is refused. */
export async function uploadFile(
  transfer: TransferClient,
  source: { readonly path: string; readonly name: string },
  onProgress: (doneBytes: number, totalBytes: number) => void,
): Promise<void> {
  const handle = await open(source.path, "r");
  try {
    const { size: sizeBytes } = await handle.stat();
    const chunks: string[] = [];
    for (let from = 0; from < sizeBytes; from += batchCount * defaultChunkSizeBytes) {
      const batch = new Map<string, Buffer>();
      const end = Math.min(sizeBytes, from + batchCount * defaultChunkSizeBytes);
      for (let offset = from; offset < end; offset += defaultChunkSizeBytes) {
        const content = Buffer.alloc(Math.min(defaultChunkSizeBytes, sizeBytes - offset));
        await handle.read(content, 0, content.byteLength, offset);
        const chunkHash = hash("sha256", content);
        chunks.push(chunkHash);
        batch.set(chunkHash, content);
      }
      for (const chunkHash of await transfer.lacking([...batch.keys()])) {
        const content = batch.get(chunkHash);
        if (content !== undefined) {
          await transfer.put(chunkHash, await compressChunk(content));
        }
      }
      onProgress(end, sizeBytes);
    }
    const manifest: Manifest = {
      version: 1,
      name: source.name,
      sizeBytes,
      chunkSizeBytes: defaultChunkSizeBytes,
      hashAlgorithm: "sha256",
      chunks,
    };
    await transfer.complete(encodeManifest(manifest));
  } finally {
    await handle.close();
  }
}
