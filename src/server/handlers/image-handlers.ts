import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ArrivingImageResource, ImageDetail, ImageResource } from "#api/image-api.ts";
import { hasEnded, taskKeyOf } from "#engine/job/run.ts";
import { decodeManifest } from "#engine/image/manifest.ts";
import { openDisk } from "#platform/disk.ts";
import type { StoredImage } from "#store/image-store.ts";
import type { Scope } from "../accounts/scope.ts";
import type { ApiHandlers } from "../api-server.ts";
import { pruneChunks } from "../chunk-prune.ts";
import { distinctChunks } from "../image-catalogue.ts";
import { readImageFile, writeImageFile } from "../image-file.ts";
import { convertDisk, describeLayout, detectFormat, writeRawDisk } from "../image-formats.ts";
import { importRawDisk } from "../image-import.ts";
import { requireUnused } from "../image-use.ts";
import { measureOwnBytes, measureStorage, readNamedChunks } from "../image-storage.ts";
import type { OperationProgress } from "../operations.ts";
import type { PortolanServer } from "../server.ts";
import type { ArrivingImage, CaptureOrder } from "../services/capture-service.ts";

type Report = (progress: OperationProgress) => void;
type ImportOrder = { readonly path: string; readonly name: string; readonly trust: readonly string[] };

function toImage(image: StoredImage): ImageResource {
  const { id, name, sizeBytes, chunkSizeBytes, chunkCount, dataChunkCount, storedBytes, source } = image;
  const createdAt = image.createdAtMs;
  return { id, name, sizeBytes, chunkSizeBytes, chunkCount, dataChunkCount, storedBytes, source, createdAt };
}

function toArriving(
  { registry, jobs }: PortolanServer,
  { computerId, key, imageName }: CaptureOrder,
  announced: ArrivingImage | undefined,
): ArrivingImageResource {
  const run = jobs.runsOfComputer(computerId).find((one) => !hasEnded(one) && taskKeyOf(one) === key);
  return {
    id: announced?.id ?? null,
    name: imageName,
    sizeBytes: announced?.manifest.sizeBytes ?? null,
    computerId,
    computerName: registry.get(computerId)?.name ?? computerId,
    chunkCount: announced?.chunkCount ?? null,
    arrivedChunkCount:
      announced === undefined ? null : announced.chunkCount - announced.arrival.expectedCount,
    doneBytes: run?.progress?.doneBytes ?? 0,
    totalBytes: run?.progress?.totalBytes ?? 0,
    stage: run?.progress?.stage ?? null,
  };
}

/** Those of computers that the caller may see. */
function listArriving(server: PortolanServer, scope: Scope): ArrivingImageResource[] {
  const { captures } = server;
  const announced = new Map(captures.arriving().map((image) => [image.computerId, image]));
  return captures
    .orders()
    .filter(({ computerId }) => scope.hasComputer(computerId))
    .map((order) => toArriving(server, order, announced.get(order.computerId)));
}

async function showImage(server: PortolanServer, id: string): Promise<ImageDetail> {
  const { images, chunks, packages } = server;
  const image = await images.find(id);
  const { layout } = decodeManifest(await images.readManifest(image.id));
  return {
    ...toImage(image),
    ...(await measureOwnBytes(image.id, chunks, images, packages)),
    tableType: layout?.tableType ?? null,
    partitions: [...(layout?.partitions ?? [])],
  };
}

function countReport(report: Report): (doneCount: number, totalCount: number) => void {
  return (doneCount, totalCount) =>
    report({
      percent: (100 * doneCount) / Math.max(1, totalCount),
      detail: `${doneCount} of ${totalCount} chunks`,
    });
}

async function layoutOf(path: string): Promise<Awaited<ReturnType<typeof describeLayout>>> {
  const disk = await openDisk(path, "read");
  try {
    return await describeLayout(disk);
  } finally {
    await disk.close();
  }
}

/** A disk as it is, or as it is once qemu-img has unpacked it. */
async function importDisk(
  server: PortolanServer,
  { path, name }: ImportOrder,
  report: Report,
): Promise<StoredImage> {
  const { chunks, catalogue } = server;
  const hold = chunks.hold();
  try {
    const layout = await layoutOf(path);
    const { manifest, manifestText } = await importRawDisk(
      chunks,
      { path, name, layout },
      (progress) =>
        report({
          percent: (100 * progress.doneBytes) / progress.totalBytes,
          detail: `${progress.newChunkCount} chunks new, ${progress.knownChunkCount} known`,
        }),
      hold,
    );
    return await catalogue.add(manifest, manifestText, "imported");
  } finally {
    hold.release();
  }
}

async function importQcow2(server: PortolanServer, order: ImportOrder, report: Report): Promise<StoredImage> {
  const folder = join(server.config.dataDir, "incoming");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${randomUUID()}.raw`);
  try {
    report({ percent: 0, detail: "unpacking" });
    await convertDisk({ path: order.path, format: "qcow2" }, { path, format: "raw" });
    return await importDisk(server, { ...order, path }, report);
  } finally {
    await rm(path, { force: true });
  }
}

/** From another site, or from this one before it lost its store. The name is the one it was captured under. */
async function importImageFile(
  server: PortolanServer,
  { path, trust }: ImportOrder,
  report: Report,
): Promise<StoredImage> {
  const { chunks, catalogue, authority } = server;
  const hold = chunks.hold();
  try {
    const trusted = [authority.fingerprint, ...trust];
    const { manifest, manifestText } = await readImageFile(
      path,
      trusted,
      { chunks, hold },
      countReport(report),
    );
    return await catalogue.add(manifest, manifestText, "imported from an image file");
  } finally {
    hold.release();
  }
}

async function importImage(server: PortolanServer, order: ImportOrder, report: Report): Promise<StoredImage> {
  switch (await detectFormat(order.path)) {
    case "raw":
      return importDisk(server, order, report);
    case "qcow2":
      return importQcow2(server, order, report);
    case "portolan":
      return importImageFile(server, order, report);
  }
}

async function exportImage(
  server: PortolanServer,
  image: StoredImage,
  to: { readonly path: string; readonly format: "raw" | "qcow2" | "portolan" },
  report: Report,
): Promise<void> {
  const { images, chunks, catalogue } = server;
  const manifestText = await images.readManifest(image.id);
  const signatureText = await catalogue.readSignature(image.id);
  const manifest = decodeManifest(manifestText);
  switch (to.format) {
    case "portolan":
      await writeImageFile(to.path, { manifestText, signatureText }, chunks, countReport(report));
      break;
    case "raw":
      await writeRawDisk(to.path, manifest, chunks, countReport(report));
      break;
    case "qcow2": {
      const path = `${to.path}.raw`;
      try {
        await writeRawDisk(path, manifest, chunks, countReport(report));
        await convertDisk({ path, format: "raw" }, { path: to.path, format: "qcow2" });
      } finally {
        await rm(path, { force: true });
      }
    }
  }
}

async function verifyImage(server: PortolanServer, image: StoredImage, report: Report): Promise<number> {
  const { images, chunks, catalogue } = server;
  await catalogue.readSignature(image.id);
  const hashes = [...distinctChunks(decodeManifest(await images.readManifest(image.id)))];
  const faults: string[] = [];
  const count = countReport(report);
  for (const [index, chunkHash] of hashes.entries()) {
    await chunks.verify(chunkHash).catch((error: unknown) => {
      faults.push(error instanceof Error ? error.message : String(error));
    });
    count(index + 1, hashes.length);
  }
  if (faults.length > 0) {
    const more = faults.length > 3 ? `; and ${faults.length - 3} more` : "";
    throw new Error(
      `${faults.length} of ${hashes.length} chunks of ${image.name} are faulty: ${faults.slice(0, 3).join("; ")}${more}`,
    );
  }
  return hashes.length;
}

export function imageHandlers(server: PortolanServer) {
  const { images, chunks, packages, operations } = server;
  return {
    listImages: async () => (await images.list()).map(toImage),
    listArrivingImages: async ({ scope }) => listArriving(server, scope),
    showImage: async ({ id }) => showImage(server, id),
    showStorage: async () => measureStorage(chunks, images, packages),
    importImage: async ({ body }) =>
      operations.start(`import ${body.name}`, async (report) => {
        const image = await importImage(server, body, report);
        return {
          result: { imageId: image.id },
          detail: `image ${image.name} (${image.id.slice(0, 12)}), ${image.dataChunkCount} chunks with data`,
        };
      }),
    exportImage: async ({ id, body }) => {
      const image = await images.find(id);
      return operations.start(`export ${image.name}`, async (report) => {
        await exportImage(server, image, body, report);
        return { result: { path: body.path }, detail: `written to ${body.path} (${body.format})` };
      });
    },
    verifyImage: async ({ id }) => {
      const image = await images.find(id);
      return operations.start(`verify ${image.name}`, async (report) => {
        const chunkCount = await verifyImage(server, image, report);
        return {
          result: { chunkCount },
          detail: `its signature is this site's; ${chunkCount} chunks are what their names say`,
        };
      });
    },
    fetchImage: async ({ id }) => {
      const image = await images.find(id);
      return operations.start(`fetch ${image.name}`, async (report) => {
        const count = countReport(report);
        const chunkCount = await server.chunkFetch.complete(image.id, ({ doneCount, totalCount }) =>
          count(doneCount, totalCount),
        );
        const detail =
          chunkCount === 0 ? "everything was here" : `${chunkCount} chunks came from other servers`;
        return { result: { chunkCount }, detail };
      });
    },
    removeImage: async ({ id }) => {
      const image = await images.find(id);
      requireUnused(server, image);
      await images.remove(image.id);
      return toImage(image);
    },
    pruneImages: async () =>
      operations.start("prune", async (report) => {
        const pruned = await pruneChunks(
          chunks,
          () => readNamedChunks(images, packages),
          ({ doneCount, totalCount, removedCount }) =>
            report({
              percent: (100 * doneCount) / Math.max(1, totalCount),
              detail: `${removedCount} chunks removed`,
            }),
        );
        const { removedCount, removedBytes } = pruned;
        return {
          result: { removedCount, removedBytes },
          detail: `${removedCount} chunks removed, ${removedBytes} bytes freed`,
        };
      }),
  } satisfies Partial<ApiHandlers>;
}
