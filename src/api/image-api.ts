import { z } from "zod";
import { pageSchema } from "./page.ts";
import type { Routes } from "./route.ts";
import { epochMs, machineText } from "./values.ts";
import { operationSchema } from "./server-api.ts";

export const imageSchema = z.object({
  id: z.string(),
  name: z.string(),
  sizeBytes: z.number(),
  chunkSizeBytes: z.number(),
  chunkCount: z.number(),
  /** Chunks that are not all zero. */
  dataChunkCount: z.number(),
  /** What its chunks take in the store, compressed; those it shares with other images included. */
  storedBytes: z.number().nullable(),
  /** Where it came from. */
  source: z.string().nullable(),
  createdAt: epochMs,
});
export type ImageResource = z.infer<typeof imageSchema>;

/** One image with what is on its disk. */
export const imageDetailSchema = imageSchema.extend({
  /** What removing it and pruning would free: chunks that nothing else has. */
  ownBytes: z.number(),
  /** Distinct chunks that this server lacks; another server of the site may have them. */
  lackingChunkCount: z.number(),
  tableType: z.enum(["gpt", "mbr", "none"]).nullable(),
  partitions: z.array(
    z.object({
      number: z.number(),
      startBytes: z.number(),
      sizeBytes: z.number(),
      typeId: z.string(),
      name: z.string(),
      fileSystem: z.string(),
      taken: z.enum(["used", "all", "head"]),
      usedBytes: z.number().nullable(),
      /** What could not be done, or was found in the way. */
      note: z.string().nullable(),
    }),
  ),
});
export type ImageDetail = z.infer<typeof imageDetailSchema>;

/** An image that a computer is still making or sending. In the list of images it is once all has come. */
export const arrivingImageSchema = z.object({
  /** With one it can be deployed by it while it comes; `null`: not before it is in the list. */
  id: z.string().nullable(),
  name: z.string(),
  /** Of the disk; `null`: not told yet, as the two counts. */
  sizeBytes: z.number().nullable(),
  /** Whose disk it is. */
  computerId: z.string(),
  computerName: machineText,
  /** Distinct chunks of it. */
  chunkCount: z.number().nullable(),
  arrivedChunkCount: z.number().nullable(),
  /** Of the computer's work now: of what it reads, or of what it sends. `totalBytes` 0: not told yet. */
  doneBytes: z.number(),
  totalBytes: z.number(),
  /** What the computer says it does. */
  stage: machineText.nullable(),
});
export type ArrivingImageResource = z.infer<typeof arrivingImageSchema>;

export const storageSchema = z.object({
  chunkCount: z.number(),
  /** What the chunks take, each once. */
  storedBytes: z.number(),
  /** What nothing names any more: a prune would free it. */
  unusedBytes: z.number(),
  /** What the images would take if each had its chunks for itself. */
  imagesBytes: z.number(),
});
export type StorageResource = z.infer<typeof storageSchema>;

export const exportImageSchema = z
  .object({
    /** Absolute path on the server. */
    path: z.string().min(1).max(4096),
    format: z.enum(["raw", "qcow2", "portolan"]),
  })
  .strict();

export const importImageSchema = z
  .object({
    /** Absolute path on the server of a raw disk, a qcow2, or an image file. */
    path: z.string().min(1).max(4096),
    name: z.string().min(1).max(128),
    /** Fingerprints of other sites whose image files are taken. */
    trust: z
      .array(z.string().regex(/^[0-9a-f]{64}$/))
      .max(16)
      .default([]),
  })
  .strict();

/** Images. */
export const imageRoutes = {
  listImages: {
    method: "GET",
    path: "/images",
    scope: { shared: "images belong to no computer" },
    summary: "All images",
    query: pageSchema,
    pagedBy: "id",
    response: z.array(imageSchema),
  },
  showStorage: {
    method: "GET",
    path: "/images/storage",
    scope: { shared: "images belong to no computer" },
    summary: "What images take, and what sharing saves",
    response: storageSchema,
  },
  listArrivingImages: {
    method: "GET",
    path: "/images/arriving",
    scope: "filtered",
    summary: "Images that are being captured; those with an id can be deployed meanwhile",
    response: z.array(arrivingImageSchema),
  },
  showImage: {
    method: "GET",
    path: "/images/:id",
    scope: { shared: "images belong to no computer" },
    summary: "One image",
    response: imageDetailSchema,
  },
  importImage: {
    method: "POST",
    path: "/images/import",
    scope: "site",
    summary: "Import a disk or an image file that lies on the server",
    body: importImageSchema,
    response: operationSchema,
  },
  exportImage: {
    method: "POST",
    path: "/images/:id/export",
    scope: "site",
    summary: "Write an image to a file on the server",
    body: exportImageSchema,
    response: operationSchema,
  },
  removeImage: {
    method: "DELETE",
    path: "/images/:id",
    scope: "site",
    summary: "Remove an image; its chunks stay until they are pruned",
    response: imageSchema,
  },
  pruneImages: {
    method: "POST",
    path: "/images/prune",
    scope: "site",
    summary: "Free what no image names any more",
    response: operationSchema,
  },
  fetchImage: {
    method: "POST",
    path: "/images/:id/fetch",
    access: "operator",
    scope: "site",
    summary: "Fetch what this server lacks of an image from the other servers of the site",
    response: operationSchema,
  },
  verifyImage: {
    method: "POST",
    path: "/images/:id/verify",
    access: "operator",
    scope: "site",
    summary: "Read every chunk and check its hash",
    response: operationSchema,
  },
} as const satisfies Routes;
