import { hash } from "node:crypto";
import type { Manifest } from "#engine/image/manifest.ts";
import type { Clock } from "#platform/clock.ts";
import { findSigner, type ManifestSignature, signedBytes } from "#platform/manifest-signature.ts";
import type { ImageStore, StoredImage } from "#store/image-store.ts";
import type { ChunkStore } from "./chunk-store.ts";
import type { SiteAuthority } from "./site-authority.ts";

export type ImageCatalogueDependencies = {
  readonly images: ImageStore;
  readonly chunks: ChunkStore;
  readonly authority: SiteAuthority;
  readonly clock: Clock;
};

/** An image in the store does not bear this site's signature. */
export class SignatureError extends Error {
  readonly code = "bad-signature";

  constructor(imageId: string) {
    super(
      `image ${imageId.slice(0, 12)} does not bear this site's signature: it was changed outside of the program, or comes from an early version; import or capture it again`,
    );
    this.name = "SignatureError";
  }
}

export function distinctChunks(manifest: Manifest): ReadonlySet<string> {
  return new Set(manifest.chunks.filter((chunkHash) => chunkHash !== null));
}

/** The site's images: signed when they come in. */
export class ImageCatalogue {
  readonly #dependencies: ImageCatalogueDependencies;

  constructor(dependencies: ImageCatalogueDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Makes an image of a manifest whose chunks are stored. From here on it can be deployed.
   *
   * @throws ChunkError `chunk-missing`
   */
  async add(manifest: Manifest, manifestText: string, source: string): Promise<StoredImage> {
    const { images, chunks, clock } = this.#dependencies;
    let storedBytes = 0;
    for (const chunkHash of distinctChunks(manifest)) {
      storedBytes += await chunks.frameSize(chunkHash);
    }
    const id = hash("sha256", manifestText);
    const image: StoredImage = {
      id,
      name: manifest.name,
      sizeBytes: manifest.sizeBytes,
      chunkSizeBytes: manifest.chunkSizeBytes,
      chunkCount: manifest.chunks.length,
      dataChunkCount: manifest.chunks.filter((chunk) => chunk !== null).length,
      createdAtMs: clock.epochMs(),
      signature: this.sign(id),
      storedBytes,
      source,
    };
    await images.put(image, manifestText);
    return image;
  }

  /** This site's signature of an image, JSON text. */
  sign(imageId: string): string {
    const { authority } = this.#dependencies;
    const signature: ManifestSignature = {
      signature: authority.sign(signedBytes(imageId)).toString("base64"),
      publicKey: Buffer.from(authority.publicKeyDer()).toString("base64"),
    };
    return JSON.stringify(signature);
  }

  /** The signature's JSON text, proven to be this site's. @throws SignatureError | StoreError `not-found` */
  async readSignature(imageId: string): Promise<string> {
    const { signature } = await this.#dependencies.images.find(imageId);
    const signer =
      signature === null ? null : findSigner(imageId, JSON.parse(signature) as ManifestSignature);
    if (signature === null || signer !== this.#dependencies.authority.fingerprint) {
      throw new SignatureError(imageId);
    }
    return signature;
  }
}
