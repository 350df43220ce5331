import { createHash, createPublicKey, verify } from "node:crypto";

/** The site's word for an image. Travels and is kept as JSON. */
export type ManifestSignature = {
  /** ECDSA with SHA-256 over `signedBytes`, DER, base64. */
  readonly signature: string;
  /** SPKI DER of the site key, base64. */
  readonly publicKey: string;
};

/** What a site key signs of an image: an image id is the SHA-256 of its manifest, so this covers every byte of it. */
export function signedBytes(imageId: string): Buffer {
  return Buffer.from(`portolan manifest 1\n${imageId}\n`, "utf8");
}

/** SHA-256 of the key that signed this image, hex; `null` when the signature is not one of this image. */
export function findSigner(imageId: string, { signature, publicKey }: ManifestSignature): string | null {
  try {
    const der = Buffer.from(publicKey, "base64");
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    const isGenuine = verify("sha256", signedBytes(imageId), key, Buffer.from(signature, "base64"));
    return isGenuine ? createHash("sha256").update(der).digest("hex") : null;
  } catch {
    // A key or signature that cannot be read proves nothing, like a wrong one.
    return null;
  }
}
