import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { type BundleManifest, bundleManifestSchema } from "#api/plan-bundle-api.ts";
import { decodeTar, type TarEntry } from "#wire/tar/tar-file.ts";

export type BundleCheck = {
  readonly manifest: BundleManifest | null;
  /** SHA-256 of the key it is signed with, hex; `null`: no signature was found good. */
  readonly signedBy: string | null;
  /** What is wrong, as sentences; empty: it is what the server made. */
  readonly faults: readonly string[];
};

/** A change request is text; this is far above any. */
const archiveSizeBytesMax = 64 << 20;

const ownFiles: readonly string[] = ["manifest.json", "manifest.sig", "site-key.pem"];

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function readEntries(bytes: Uint8Array): Map<string, Uint8Array> {
  const entries: TarEntry[] = decodeTar(gunzipSync(bytes, { maxOutputLength: archiveSizeBytesMax }));
  const files = new Map<string, Uint8Array>();
  for (const { path, bytes: content } of entries) {
    if (files.has(path)) {
      throw new Error(`${path} is in the archive twice`);
    }
    files.set(path, content);
  }
  return files;
}

function readKey(bytes: Uint8Array): KeyObject | null {
  try {
    return createPublicKey(Buffer.from(bytes));
  } catch {
    return null;
  }
}

function readManifest(bytes: Uint8Array): BundleManifest | null {
  try {
    return bundleManifestSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return null;
  }
}

function compareFiles(files: ReadonlyMap<string, Uint8Array>, manifest: BundleManifest): string[] {
  const listed = new Set(manifest.files.map(({ path }) => path));
  return [
    ...manifest.files.flatMap(({ path, sha256: wanted }) => {
      const content = files.get(path);
      return content === undefined
        ? [`${path} is missing`]
        : sha256(content) === wanted
          ? []
          : [`${path} was changed: its SHA-256 is not the one of the manifest`];
    }),
    ...[...files.keys()]
      .filter((path) => !listed.has(path) && !ownFiles.includes(path))
      .map((path) => `${path} was added: the manifest does not know it`),
  ];
}

/**
 * Whether an archive is what a server of this site made, file by file.
 *
 * @param trustedFingerprint of the site's key; `null`: any key's signature counts, and its fingerprint is told
 */
export function checkBundle(bytes: Uint8Array, trustedFingerprint: string | null): BundleCheck {
  let files: Map<string, Uint8Array>;
  try {
    files = readEntries(bytes);
  } catch (error) {
    return {
      manifest: null,
      signedBy: null,
      faults: [`this is no bundle, or it is damaged: ${messageOf(error)}`],
    };
  }
  const [manifestBytes, signature, keyBytes] = ownFiles.map((path) => files.get(path));
  if (manifestBytes === undefined || signature === undefined || keyBytes === undefined) {
    const missing = ownFiles.filter((path) => !files.has(path));
    return { manifest: null, signedBy: null, faults: missing.map((path) => `${path} is missing`) };
  }
  const manifest = readManifest(manifestBytes);
  if (manifest === null) {
    return { manifest, signedBy: null, faults: ["manifest.json cannot be read"] };
  }
  const key = readKey(keyBytes);
  const fingerprint = key === null ? null : sha256(key.export({ type: "spki", format: "der" }));
  const isSigned = key !== null && verify("sha256", manifestBytes, key, Buffer.from(signature));
  const isTrusted = trustedFingerprint === null || fingerprint === trustedFingerprint;
  return {
    manifest,
    signedBy: isSigned ? fingerprint : null,
    faults: [
      ...(isSigned ? [] : ["the signature is not good: manifest.json was changed after it was signed"]),
      ...(isTrusted
        ? []
        : [`it is signed with another key (${fingerprint}) than this site's (${trustedFingerprint})`]),
      ...compareFiles(files, manifest),
    ],
  };
}
