import { hash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { decodeManifest, type Manifest } from "#engine/image/manifest.ts";
import { findSigner, type ManifestSignature } from "#platform/manifest-signature.ts";
import type { ChunkHold, ChunkStore } from "./chunk-store.ts";
import { distinctChunks } from "./image-catalogue.ts";

/*
 * One image as one file, for another site.
 * | size | field                                                       |
 * | ---- | ----------------------------------------------------------- |
 * | 16   | "PORTOLAN IMAGE 1"                                          |
 * | 4, … | size, and the site's signature as JSON                      |
 * | 4, … | size, and the manifest                                      |
 * | 4, … | size, and one zstd frame: each distinct chunk, in its order |
 */
export const imageFileMagic = "PORTOLAN IMAGE 1";

const signatureSizeBytesMax = 64 << 10;
const manifestSizeBytesMax = 64 << 20;
const frameSizeBytesMax = (1 << 20) + 4096;

/** A file is no image file, is not whole, or is of a site that is not trusted. */
export class ImageFileError extends Error {
  readonly code = "bad-image-file";

  constructor(message: string) {
    super(message);
    this.name = "ImageFileError";
  }
}

function sized(content: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(content.byteLength);
  return Buffer.concat([head, content]);
}

/** Writes an image to a file, which is there as a whole or not at all. */
export async function writeImageFile(
  path: string,
  image: { readonly manifestText: string; readonly signatureText: string },
  chunks: ChunkStore,
  onProgress: (doneCount: number, totalCount: number) => void,
): Promise<void> {
  const unfinished = `${path}.unfinished`;
  const file = await open(unfinished, "w", 0o600);
  try {
    await file.write(Buffer.from(imageFileMagic));
    await file.write(sized(Buffer.from(image.signatureText)));
    await file.write(sized(Buffer.from(image.manifestText)));
    const hashes = [...distinctChunks(decodeManifest(image.manifestText))];
    for (const [index, chunkHash] of hashes.entries()) {
      await file.write(sized(await chunks.readFrame(chunkHash)));
      onProgress(index + 1, hashes.length);
    }
    await file.sync();
    await file.close();
    await rename(unfinished, path);
  } catch (error) {
    await file.close();
    await rm(unfinished, { force: true });
    throw error;
  }
}

async function readExactly(file: FileHandle, sizeBytes: number, what: string): Promise<Buffer> {
  const bytes = Buffer.alloc(sizeBytes);
  let done = 0;
  while (done < sizeBytes) {
    const { bytesRead } = await file.read(bytes, done, sizeBytes - done);
    if (bytesRead === 0) {
      throw new ImageFileError(`the file ends inside ${what}; it was not copied to its end`);
    }
    done += bytesRead;
  }
  return bytes;
}

async function readSized(file: FileHandle, sizeBytesMax: number, what: string): Promise<Buffer> {
  const sizeBytes = (await readExactly(file, 4, what)).readUInt32BE(0);
  if (sizeBytes > sizeBytesMax) {
    throw new ImageFileError(`${what} has ${sizeBytes} bytes, which is more than it may have`);
  }
  return readExactly(file, sizeBytes, what);
}

function requireTrust(imageId: string, signature: ManifestSignature, trusted: readonly string[]): void {
  const signer = findSigner(imageId, signature);
  if (signer === null) {
    throw new ImageFileError("the signature does not belong to this image; the file was changed");
  }
  if (!trusted.includes(signer)) {
    throw new ImageFileError(
      `the image was signed by another site, ${signer}; when that is right, import it with --trust ${signer}`,
    );
  }
}

/**
 * Stores the chunks of an image file, each checked by its hash.
 *
 * @param trusted fingerprints of site keys whose images are taken
 * @throws ImageFileError
 */
export async function readImageFile(
  path: string,
  trusted: readonly string[],
  stores: { readonly chunks: ChunkStore; readonly hold: ChunkHold },
  onProgress: (doneCount: number, totalCount: number) => void,
): Promise<{ readonly manifest: Manifest; readonly manifestText: string }> {
  const file = await open(path, "r");
  try {
    const magic = await readExactly(file, imageFileMagic.length, "its beginning");
    if (magic.toString("latin1") !== imageFileMagic) {
      throw new ImageFileError(`${path} is no image file of this program`);
    }
    const signatureText = (await readSized(file, signatureSizeBytesMax, "the signature")).toString("utf8");
    const manifestText = (await readSized(file, manifestSizeBytesMax, "the manifest")).toString("utf8");
    requireTrust(hash("sha256", manifestText), JSON.parse(signatureText) as ManifestSignature, trusted);
    const manifest = decodeManifest(manifestText);
    const hashes = [...distinctChunks(manifest)];
    for (const [index, chunkHash] of hashes.entries()) {
      const frame = await readSized(file, frameSizeBytesMax, `chunk ${index + 1} of ${hashes.length}`);
      stores.hold.add(chunkHash);
      if (!(await stores.chunks.putFrame(chunkHash, frame))) {
        throw new ImageFileError(`chunk ${index + 1} of ${hashes.length} is damaged in the file`);
      }
      onProgress(index + 1, hashes.length);
    }
    return { manifest, manifestText };
  } finally {
    await file.close();
  }
}
