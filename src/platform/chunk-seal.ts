import { createCipheriv, createDecipheriv } from "node:crypto";

const tagSizeBytes = 16;

/** Results of this size are copied while they are in the processor's cache; one of a whole chunk would be fresh memory. */
const stepSizeBytes = 64 << 10;

/**
 * The nonce is the chunk's index. A session key seals each chunk of one image once: sealing it again for a repair gives
 * the same bytes, so no nonce ever meets two contents.
 */
function nonceOf(chunkIndex: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(chunkIndex, 8);
  return nonce;
}

function contextOf(sessionId: number): Buffer {
  const context = Buffer.alloc(4);
  context.writeUInt32BE(sessionId);
  return context;
}

function transform(
  cipher: { update(part: Uint8Array): Uint8Array },
  source: Uint8Array,
  target: Uint8Array,
): void {
  for (let from = 0; from < source.byteLength; from += stepSizeBytes) {
    target.set(cipher.update(source.subarray(from, from + stepSizeBytes)), from);
  }
}

/**
 * AES-256-GCM over one chunk's zstd frame; the tag follows.
 *
 * @param target at least 16 bytes longer than the frame
 * @returns the part of `target` that holds the sealed chunk
 */
export function sealChunk(
  key: Uint8Array,
  sessionId: number,
  chunkIndex: number,
  frame: Uint8Array,
  target: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", key, nonceOf(chunkIndex));
  cipher.setAAD(contextOf(sessionId));
  transform(cipher, frame, target);
  cipher.final();
  target.set(cipher.getAuthTag(), frame.byteLength);
  return target.subarray(0, frame.byteLength + tagSizeBytes);
}

/**
 * The frame, or `null` when it is not what the holder of the session key sent.
 *
 * @param target as long as `sealed`; holds what must not be used when `null` is returned
 * @returns the part of `target` that holds the frame
 */
export function openChunk(
  key: Uint8Array,
  sessionId: number,
  chunkIndex: number,
  sealed: Uint8Array,
  target: Uint8Array,
): Uint8Array | null {
  const sizeBytes = sealed.byteLength - tagSizeBytes;
  if (sizeBytes <= 0) {
    return null;
  }
  const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(chunkIndex));
  decipher.setAAD(contextOf(sessionId));
  decipher.setAuthTag(sealed.subarray(sizeBytes));
  transform(decipher, sealed.subarray(0, sizeBytes), target);
  try {
    decipher.final();
    return target.subarray(0, sizeBytes);
  } catch (error) {
    if (error instanceof Error) {
      return null;
    }
    throw error;
  }
}
