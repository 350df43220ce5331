import { WireError } from "../bytes/wire-error.ts";

/*
 * | offset | size | field          | note                                              |
 * | ------ | ---- | -------------- | ------------------------------------------------- |
 * | 0      | 2    | magic          | 0x504d, "PM"                                      |
 * | 2      | 1    | version        | 1                                                 |
 * | 3      | 1    | kind           | 0 data; 1 is reserved for parity                  |
 * | 4      | 4    | session        |                                                   |
 * | 8      | 4    | sequence       | counts the datagrams of the session, from 1       |
 * | 12     | 4    | chunk          | index in the manifest                             |
 * | 16     | 4    | frame size     | bytes of the sealed chunk                         |
 * | 20     | 2    | block          | index of this piece of the sealed chunk           |
 * | 22     | 2    | block size     | bytes of every piece but the last                 |
 * | 24     | …    | piece          |                                                   |
 */
const magic = 0x504d;
const version = 1;
export const dataHeaderSizeBytes = 24;

export type DataPacket = {
  readonly sessionId: number;
  readonly sequence: number;
  readonly chunkIndex: number;
  readonly frameSizeBytes: number;
  readonly blockIndex: number;
  readonly blockSizeBytes: number;
  /** A view into the datagram. */
  readonly block: Uint8Array;
};

/** A sealed chunk: up to 1 MiB of content that zstd could not shrink, its framing, and the AEAD tag. */
export const frameSizeBytesMax = (1 << 20) + 4096;

/** Writes the datagram into a buffer of the caller, so that sending allocates once per datagram. */
export function encodeDataPacket(packet: DataPacket): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(dataHeaderSizeBytes + packet.block.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, magic);
  view.setUint8(2, version);
  view.setUint8(3, 0);
  view.setUint32(4, packet.sessionId);
  view.setUint32(8, packet.sequence);
  view.setUint32(12, packet.chunkIndex);
  view.setUint32(16, packet.frameSizeBytes);
  view.setUint16(20, packet.blockIndex);
  view.setUint16(22, packet.blockSizeBytes);
  bytes.set(packet.block, dataHeaderSizeBytes);
  return bytes;
}

function refuse(
  code: "truncated" | "bad-magic" | "bad-value" | "bad-length",
  field: string,
  offset: number,
): never {
  throw new WireError({ code, field, offset });
}

/**
 * Decodes one datagram of a session. Reads through one DataView: this runs for every datagram.
 *
 * @throws WireError `truncated` | `bad-magic` | `bad-value` | `bad-length`
 */
export function decodeDataPacket(bytes: Uint8Array): DataPacket {
  if (bytes.byteLength <= dataHeaderSizeBytes) {
    refuse("truncated", "header", 0);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0) !== magic || view.getUint8(2) !== version) {
    refuse("bad-magic", "magic", 0);
  }
  if (view.getUint8(3) !== 0) {
    refuse("bad-value", "kind", 3);
  }
  const frameSizeBytes = view.getUint32(16);
  const blockIndex = view.getUint16(20);
  const blockSizeBytes = view.getUint16(22);
  const pieceSizeBytes = bytes.byteLength - dataHeaderSizeBytes;
  if (frameSizeBytes === 0 || frameSizeBytes > frameSizeBytesMax || blockSizeBytes < 64) {
    refuse("bad-value", "frame size", 16);
  }
  const from = blockIndex * blockSizeBytes;
  if (from >= frameSizeBytes || pieceSizeBytes !== Math.min(blockSizeBytes, frameSizeBytes - from)) {
    refuse("bad-length", "piece", dataHeaderSizeBytes);
  }
  return {
    sessionId: view.getUint32(4),
    sequence: view.getUint32(8),
    chunkIndex: view.getUint32(12),
    frameSizeBytes,
    blockIndex,
    blockSizeBytes,
    block: bytes.subarray(dataHeaderSizeBytes),
  };
}
