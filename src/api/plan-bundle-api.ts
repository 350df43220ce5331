import { z } from "zod";
import { planExportRoutes } from "./plan-export-api.ts";
import type { Routes } from "./route.ts";
import { epochMs } from "./values.ts";

/** `manifest.json` of a bundle: every other file but the signature, with its hash. */
export const bundleManifestSchema = z
  .object({
    product: z.literal("Portolan"),
    version: z.string(),
    generatedAt: epochMs,
    server: z.string(),
    profile: z.string(),
    segments: z.array(z.string()),
    /** SHA-256 over all names and hashes: two bundles with the same one ask for the same. */
    planDigest: z.string(),
    /** SHA-256 of the site's public key (SPKI DER), hex: what agents pin. */
    siteKeyFingerprint: z.string(),
    files: z.array(z.object({ path: z.string(), sizeBytes: z.number(), sha256: z.string() })),
  })
  .strict();
export type BundleManifest = z.infer<typeof bundleManifestSchema>;

export const planBundleRoutes = {
  bundlePlan: {
    method: "GET",
    path: "/plan/bundle",
    scope: { shared: "the network is everybody's; names no computer" },
    summary: "A signed change request for the network team, as one archive",
    query: planExportRoutes.exportPlan.query,
    response: z.object({ fileName: z.string(), archiveBase64: z.string(), manifest: bundleManifestSchema }),
  },
} as const satisfies Routes;
