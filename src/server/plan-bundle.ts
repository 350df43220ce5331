import { createHash, createPublicKey } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { BundleManifest } from "#api/plan-bundle-api.ts";
import { composeBundle } from "#plan/bundle/compose-bundle.ts";
import { exportFormats } from "#plan/export/exporters.ts";
import { identifier } from "#plan/export/rule-text.ts";
import type { LintFinding } from "#plan/lint/finding.ts";
import { encodeTar } from "#wire/tar/tar-file.ts";
import { ApiError } from "./api-error.ts";
import { type BoundaryQuery, readExportInput } from "./plan-exports.ts";
import { lintServer } from "./plan-lint.ts";
import type { PortolanServer } from "./server.ts";

function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The segment that was named, or every one behind a router. */
function boundariesOf(server: PortolanServer, query: BoundaryQuery) {
  if (query.segment !== undefined) {
    return [readExportInput(server, query)];
  }
  const behind = server.segments
    .current()
    .filter(({ interfaceName, intent }) => interfaceName === null && intent !== "none");
  if (behind.length === 0) {
    throw new ApiError(
      400,
      "bad-request",
      "no segment is behind a router, so nobody has to be asked for anything; name one: portolan segment add NAME SUBNET",
    );
  }
  return behind.map(({ name }) => readExportInput(server, { ...query, segment: name }));
}

/**
 * One archive: change request, device files, rollback, manifest, signature. Its bytes depend on the plan, the version
 * and the time alone; the digest of the plan not even on the time.
 *
 * @throws ApiError `bad-request` | `not-found`
 */
export function bundleServerPlan(
  server: PortolanServer,
  query: BoundaryQuery,
  version: string,
): { readonly fileName: string; readonly archive: Uint8Array; readonly manifest: BundleManifest } {
  const { authority, clock, config, settings } = server;
  const generatedAt = Math.round(clock.epochMs());
  const boundaries = boundariesOf(server, query);
  const date = new Date(generatedAt).toISOString().slice(0, 10);
  const files = composeBundle({
    serverName: config.name,
    profile: settings.profile,
    productVersion: version,
    date,
    boundaries,
    formats: exportFormats,
    // The API's finding is the plan's own; only its lists are writable.
    findings: lintServer(server) as readonly LintFinding[],
  }).map(({ path, text }) => ({ path, bytes: new TextEncoder().encode(text) }));
  const devices = files.filter(({ path }) => path.startsWith("devices/"));
  const manifest: BundleManifest = {
    product: "Portolan",
    version,
    generatedAt,
    server: config.name,
    profile: settings.profile,
    segments: boundaries.map(({ segment }) => segment.name),
    planDigest: sha256(devices.map(({ path, bytes }) => `${path} ${sha256(bytes)}\n`).join("")),
    siteKeyFingerprint: authority.fingerprint,
    files: files.map(({ path, bytes }) => ({ path, sizeBytes: bytes.byteLength, sha256: sha256(bytes) })),
  };
  const manifestBytes = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
  const publicKey = createPublicKey({
    key: Buffer.from(authority.publicKeyDer()),
    format: "der",
    type: "spki",
  });
  const archive = encodeTar(
    [
      { path: "manifest.json", bytes: manifestBytes },
      { path: "manifest.sig", bytes: authority.sign(manifestBytes) },
      {
        path: "site-key.pem",
        bytes: new TextEncoder().encode(publicKey.export({ type: "spki", format: "pem" })),
      },
      ...files,
    ],
    Math.floor(generatedAt / 1000),
  );
  const [only, second] = boundaries;
  const subject = only !== undefined && second === undefined ? identifier(only, "-", 40) : "portolan";
  return { fileName: `${subject}-${date}.tar.gz`, archive: gzipSync(archive), manifest };
}
