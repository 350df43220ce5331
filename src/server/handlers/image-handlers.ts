import type { ImageResource } from "#api/image-api.ts";
import { decodeManifest } from "#engine/image/manifest.ts";
import type { StoredImage } from "#store/image-store.ts";
import type { ApiHandlers } from "../api-server.ts";
import { importRawDisk } from "../image-import.ts";
import type { PortolanServer } from "../server.ts";

function toImage(image: StoredImage): ImageResource {
  const { id, name, sizeBytes, chunkSizeBytes, chunkCount, dataChunkCount, storedBytes, source } = image;
  const createdAt = image.createdAtMs;
  return { id, name, sizeBytes, chunkSizeBytes, chunkCount, dataChunkCount, storedBytes, source, createdAt };
}

export function imageHandlers(server: PortolanServer) {
  const { images, chunks, catalogue, operations } = server;
  return {
    listImages: async () => (await images.list()).map(toImage),
    showImage: async ({ id }) => toImage(await images.find(id)),
    importImage: async ({ body }) =>
      operations.start(`import ${body.name}`, async (report) => {
        const { manifest, manifestText } = await importRawDisk(chunks, body, (progress) =>
          report({
            percent: (100 * progress.doneBytes) / progress.totalBytes,
            detail: `${progress.newChunkCount} chunks new, ${progress.knownChunkCount} known`,
          }),
        );
        const image = await catalogue.add(manifest, manifestText, "imported");
        return {
          result: { imageId: image.id },
          detail: `image ${image.id.slice(0, 12)}, ${image.dataChunkCount} chunks with data`,
        };
      }),
    verifyImage: async ({ id }) => {
      const image = await images.find(id);
      const { chunks: hashes } = decodeManifest(await images.readManifest(image.id));
      const unique = [...new Set(hashes.filter((chunkHash) => chunkHash !== null))];
      return operations.start(`verify ${image.name}`, async (report) => {
        await catalogue.readSignature(image.id);
        for (const [index, chunkHash] of unique.entries()) {
          await chunks.verify(chunkHash);
          report({
            percent: (100 * (index + 1)) / unique.length,
            detail: `${index + 1} of ${unique.length} chunks`,
          });
        }
        return {
          result: { chunkCount: unique.length },
          detail: `${unique.length} chunks are what their names say`,
        };
      });
    },
  } satisfies Partial<ApiHandlers>;
}
