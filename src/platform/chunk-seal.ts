import { createCipheriv, createDecipheriv } from "node:crypto";

const tagSizeBytes = 16;

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

/** AES-256-GCM over one chunk's zstd frame; the tag follows. */
export function sealChunk(key: Uint8Array, sessionId: number, chunkIndex: number, frame: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonceOf(chunkIndex));
  cipher.setAAD(contextOf(sessionId));
  return Buffer.concat([cipher.update(frame), cipher.final(), cipher.getAuthTag()]);
}

/** The frame, or `null` when it is not what the holder of the session key sent. */
export function openChunk(
  key: Uint8Array,
  sessionId: number,
  chunkIndex: number,
  sealed: Uint8Array,
): Buffer | null {
  if (sealed.byteLength <= tagSizeBytes) {
    return null;
  }
  const body = sealed.subarray(0, sealed.byteLength - tagSizeBytes);
  const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(chunkIndex));
  decipher.setAAD(contextOf(sessionId));
  decipher.setAuthTag(sealed.subarray(sealed.byteLength - tagSizeBytes));
  try {
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch (error) {
    if (error instanceof Error) {
      return null;
    }
    throw error;
  }
}
