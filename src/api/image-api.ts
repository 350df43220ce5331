import { z } from "zod";
import { pageSchema } from "./page.ts";
import type { Routes } from "./route.ts";
import { epochMs } from "./values.ts";
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
    summary: "All images",
    query: pageSchema,
    pagedBy: "id",
    response: z.array(imageSchema),
  },
  showStorage: {
    method: "GET",
    path: "/images/storage",
    summary: "What images take, and what sharing saves",
    response: storageSchema,
  },
  showImage: { method: "GET", path: "/images/:id", summary: "One image", response: imageDetailSchema },
  importImage: {
    method: "POST",
    path: "/images/import",
    summary: "Import a disk or an image file that lies on the server",
    body: importImageSchema,
    response: operationSchema,
  },
  exportImage: {
    method: "POST",
    path: "/images/:id/export",
    summary: "Write an image to a file on the server",
    body: exportImageSchema,
    response: operationSchema,
  },
  removeImage: {
    method: "DELETE",
    path: "/images/:id",
    summary: "Remove an image; its chunks stay until they are pruned",
    response: imageSchema,
  },
  pruneImages: {
    method: "POST",
    path: "/images/prune",
    summary: "Free what no image names any more",
    response: operationSchema,
  },
  verifyImage: {
    method: "POST",
    path: "/images/:id/verify",
    access: "operator",
    summary: "Read every chunk and check its hash",
    response: operationSchema,
  },
} as const satisfies Routes;
