import { z } from "zod";
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

export const importImageSchema = z
  .object({
    /** Absolute path of a raw disk on the server. */
    path: z.string().min(1).max(4096),
    name: z.string().min(1).max(128),
  })
  .strict();

/** Images. */
export const imageRoutes = {
  listImages: {
    method: "GET",
    path: "/images",
    summary: "All images",
    response: z.array(imageSchema),
  },
  showImage: { method: "GET", path: "/images/:id", summary: "One image", response: imageSchema },
  importImage: {
    method: "POST",
    path: "/images/import",
    summary: "Import a raw disk that lies on the server",
    body: importImageSchema,
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
