import { fromRanges, type Ranges } from "#wire/control/imaging-messages.ts";
import { decodeLayout, type ImageLayout } from "./layout.ts";

/** An image: what every chunk of the disk must hash to. Its id is the SHA-256 of its canonical text. */
export type Manifest = {
  readonly version: 1;
  readonly name: string;
  readonly sizeBytes: number;
  readonly chunkSizeBytes: number;
  readonly hashAlgorithm: "sha256";
  /** SHA-256 of each chunk's content as hex; `null` where the chunk is all zero. The last chunk may be shorter. */
  readonly chunks: readonly (string | null)[];
  /** Those of the chunks without content that no file system uses: what a disk holds there does not matter. */
  readonly free?: Ranges;
  /** Absent where the disk was not looked into. */
  readonly layout?: ImageLayout;
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
  const { version, name, sizeBytes, chunkSizeBytes, hashAlgorithm, chunks, free, layout } = manifest;
  return JSON.stringify({ version, name, sizeBytes, chunkSizeBytes, hashAlgorithm, chunks, free, layout });
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
  const { version, name, sizeBytes, chunkSizeBytes, hashAlgorithm, chunks, ...rest } = raw as Record<
    string,
    unknown
  >;
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
  const manifest = { version, name, sizeBytes, chunkSizeBytes, hashAlgorithm } as const;
  return { ...manifest, chunks: chunks as (string | null)[], ...decodeOptional(rest, chunks.length) };
}

/** @throws ManifestError */
function decodeOptional(
  { free, layout }: Readonly<Record<string, unknown>>,
  chunkCount: number,
): Pick<Manifest, "free" | "layout"> {
  const isRange = (item: unknown): boolean =>
    Array.isArray(item) &&
    item.length === 2 &&
    item.every((number) => Number.isSafeInteger(number) && number >= 0 && number <= chunkCount);
  if (free !== undefined && !(Array.isArray(free) && free.length <= chunkCount && free.every(isRange))) {
    throw new ManifestError("the list of free chunks is none");
  }
  const decoded = layout === undefined ? undefined : decodeLayout(layout);
  if (decoded === null) {
    throw new ManifestError("the layout of the disk is none");
  }
  return {
    ...(free === undefined ? {} : { free: free as Ranges }),
    ...(decoded === undefined ? {} : { layout: decoded }),
  };
}

/** Indices of the chunks whose content on a disk does not matter. */
export function freeChunks(manifest: Manifest): ReadonlySet<number> {
  return new Set(fromRanges(manifest.free ?? [], manifest.chunks.length));
}

export function chunkLength(manifest: Manifest, index: number): number {
  return Math.min(manifest.chunkSizeBytes, manifest.sizeBytes - index * manifest.chunkSizeBytes);
}
