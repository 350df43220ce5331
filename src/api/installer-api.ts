import { z } from "zod";
import { pageSchema } from "./page.ts";
import type { Routes } from "./route.ts";
import { operationSchema } from "./server-api.ts";
import { epochMs, nothingSchema } from "./values.ts";

const path = z.string().min(1).max(4096);

/** Of a kernel, on one line. */
export const kernelCommandLine = z
  .string()
  .max(1024)
  .regex(/^[^\p{Cc}]*$/u, "is one line");

export const installerSchema = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  commandLine: z.string(),
  /** Of kernel and initrd together. */
  sizeBytes: z.number(),
  kernelSizeBytes: z.number(),
  kernelSha256: z.string(),
  initrdSha256: z.string(),
  /** As the kernel names itself. */
  kernelVersion: z.string().nullable(),
  /** The kernel carries a signature, without which Secure Boot does not let it start. */
  isSigned: z.boolean(),
  /** Id of their manifest in the chunk store. */
  contentId: z.string(),
  createdAt: epochMs,
});
export type InstallerResource = z.infer<typeof installerSchema>;

const shared = { shared: "installers belong to no computer, and hold no answers" } as const;

/** Installers of distributions. */
export const installerRoutes = {
  listInstallers: {
    method: "GET",
    path: "/installers",
    scope: shared,
    summary: "All installers of distributions",
    query: pageSchema,
    pagedBy: "id",
    response: z.array(installerSchema),
  },
  showInstaller: {
    method: "GET",
    path: "/installers/:id",
    scope: shared,
    summary: "One installer",
    response: installerSchema,
  },
  addInstaller: {
    method: "POST",
    path: "/installers",
    scope: "site",
    summary: "Add a distribution's installer from its kernel and initrd on the server",
    body: z
      .object({
        name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/, "is letters, digits and . _ + - only"),
        kernel: path,
        initrd: path,
        commandLine: kernelCommandLine.default("").describe("Of the kernel; tasks add to it."),
        description: z.string().max(256).default(""),
      })
      .strict(),
    response: operationSchema,
  },
  removeInstaller: {
    method: "DELETE",
    path: "/installers/:id",
    scope: "site",
    summary: "Remove an installer; jobs that carry it keep its content",
    response: nothingSchema,
  },
} as const satisfies Routes;
