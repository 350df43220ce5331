/** An image: what every chunk of the disk must hash to. Its id is the SHA-256 of its canonical text. */
export type Manifest = {
  readonly version: 1;
  readonly name: string;
  readonly sizeBytes: number;
  readonly chunkSizeBytes: number;
  readonly hashAlgorithm: "sha256";
  /** SHA-256 of each chunk's content as hex; `null` where the chunk is all zero. The last chunk may be shorter. */
  readonly chunks: readonly (string | null)[];
};

export const defaultChunkSizeBytes = 1 << 20;
/** 64 TiB of 1 MiB chunks. */
const chunkCountMax = 1 << 26;
const hashPattern = /^[0-9a-f]{64}$/;

/** A manifest's text was not acceptable. */
export class ManifestError extends Error {
  readonly code = "bad-manifest";

  constructor(message: string) {
    super(message);
    this.name = "ManifestError";
  }
}

/** The one text of a manifest: fields in this order, no white space. */
export function encodeManifest(manifest: Manifest): string {
  const { version, name, sizeBytes, chunkSizeBytes, hashAlgorithm, chunks } = manifest;
  return JSON.stringify({ version, name, sizeBytes, chunkSizeBytes, hashAlgorithm, chunks });
}

/** @throws ManifestError */
export function decodeManifest(text: string): Manifest {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw new ManifestError("the manifest is no JSON");
  }
  if (typeof raw !== "object" || raw === null) {
    throw new ManifestError("the manifest is no object");
  }
  const { version, name, sizeBytes, chunkSizeBytes, hashAlgorithm, chunks } = raw as Record<string, unknown>;
  if (version !== 1 || hashAlgorithm !== "sha256") {
    throw new ManifestError(`version ${String(version)} with ${String(hashAlgorithm)} is not known here`);
  }
  if (typeof name !== "string" || name === "" || name.length > 128) {
    throw new ManifestError("the name is not a text of 1 to 128 characters");
  }
  const isSize = (value: unknown): value is number =>
    typeof value === "number" && Number.isSafeInteger(value) && value > 0;
  if (
    !isSize(sizeBytes) ||
    !isSize(chunkSizeBytes) ||
    chunkSizeBytes % 4096 !== 0 ||
    chunkSizeBytes > 1 << 20
  ) {
    throw new ManifestError("sizes are not whole numbers, or chunks are not 4 KiB to 1 MiB");
  }
  if (
    !Array.isArray(chunks) ||
    chunks.length !== Math.ceil(sizeBytes / chunkSizeBytes) ||
    chunks.length > chunkCountMax
  ) {
    throw new ManifestError("the number of chunks does not fit the size of the disk");
  }
  for (const hash of chunks as unknown[]) {
    if (hash !== null && !(typeof hash === "string" && hashPattern.test(hash))) {
      throw new ManifestError("a chunk has no SHA-256");
    }
  }
  return { version, name, sizeBytes, chunkSizeBytes, hashAlgorithm, chunks: chunks as (string | null)[] };
}

export function chunkLength(manifest: Manifest, index: number): number {
  return Math.min(manifest.chunkSizeBytes, manifest.sizeBytes - index * manifest.chunkSizeBytes);
}
