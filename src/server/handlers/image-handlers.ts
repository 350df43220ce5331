import type { ImageResource } from "#api/image-api.ts";
import type { StoredImage } from "#store/image-store.ts";
import type { ApiHandlers } from "../api-server.ts";
import { importRawDisk } from "../image-import.ts";
import type { PortolanServer } from "../server.ts";

function toImage(image: StoredImage): ImageResource {
  const { id, name, sizeBytes, chunkSizeBytes, chunkCount, dataChunkCount, createdAtMs } = image;
  return { id, name, sizeBytes, chunkSizeBytes, chunkCount, dataChunkCount, createdAt: createdAtMs };
}

export function imageHandlers(server: PortolanServer) {
  const { clock, images, chunks, operations } = server;
  return {
    listImages: async () => (await images.list()).map(toImage),
    showImage: async ({ id }) => toImage(await images.find(id)),
    importImage: async ({ body }) =>
      operations.start(`import ${body.name}`, async (report) => {
        const { imageId, manifest, manifestText } = await importRawDisk(chunks, body, (progress) =>
          report({
            percent: (100 * progress.doneBytes) / progress.totalBytes,
            detail: `${progress.newChunkCount} chunks new, ${progress.knownChunkCount} known`,
          }),
        );
        const dataChunkCount = manifest.chunks.filter((chunk) => chunk !== null).length;
        await images.put(
          {
            id: imageId,
            name: body.name,
            sizeBytes: manifest.sizeBytes,
            chunkSizeBytes: manifest.chunkSizeBytes,
            chunkCount: manifest.chunks.length,
            dataChunkCount,
            createdAtMs: clock.epochMs(),
          },
          manifestText,
        );
        return {
          result: { imageId },
          detail: `image ${imageId.slice(0, 12)}, ${dataChunkCount} chunks with data`,
        };
      }),
    verifyImage: async ({ id }) => {
      const image = await images.find(id);
      const { chunks: hashes } = JSON.parse(await images.readManifest(image.id)) as {
        chunks: (string | null)[];
      };
      const unique = [...new Set(hashes.filter((chunkHash) => chunkHash !== null))];
      return operations.start(`verify ${image.name}`, async (report) => {
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
