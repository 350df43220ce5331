import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { frameSizeBytesMax } from "#wire/multicast/data-packet.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const zlibChunkSizeBytesMin = 64;

/*
 * Both in one piece: zlib puts its result together from pieces of 16 KiB unless it is told otherwise, and that costs as
 * much as a quarter of the work itself.
 */

/**
 * A chunk as it is stored and sent: one zstd frame for one chunk, never by several workers, so that each is read alone and
 * in any order.
 *
 * @param content at most 1 MiB
 */
export function compressChunk(content: Uint8Array): Promise<Buffer> {
  return compress(content, {
    params: { [constants.ZSTD_c_compressionLevel]: 3 },
    chunkSize: frameSizeBytesMax,
  });
}

/** The content of a frame, or `null` when it is none, or has more than `sizeBytesMax`. */
export function decompressChunk(frame: Uint8Array, sizeBytesMax: number): Promise<Buffer | null> {
  const chunkSize = Math.max(zlibChunkSizeBytesMin, sizeBytesMax);
  return decompress(frame, { maxOutputLength: sizeBytesMax, chunkSize }).catch(() => null);
}
