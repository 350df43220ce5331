import { WireError } from "../bytes/wire-error.ts";

/*
 * | offset | size | field          | note                                              |
 * | ------ | ---- | -------------- | ------------------------------------------------- |
 * | 0      | 2    | magic          | 0x504d, "PM"                                      |
 * | 2      | 1    | version        | 1                                                 |
 * | 3      | 1    | kind           | 0 data, 1 parity                                  |
 * | 4      | 4    | session        |                                                   |
 * | 8      | 4    | sequence       | counts the datagrams of the session, from 1       |
 * | 12     | 4    | chunk          | index in the manifest                             |
 * | 16     | 4    | frame size     | bytes of the sealed chunk                         |
 * | 20     | 2    | block          | index of the piece; parity: stripe × 256 + index  |
 * | 22     | 2    | block size     | bytes of every piece but the last                 |
 * | 24     | …    | piece          |                                                   |
 */
const magic = 0x504d;
const version = 1;
export const dataHeaderSizeBytes = 24;

/** Block `n` of a sealed chunk belongs to stripe `n % stripeCount`; parity is computed over one stripe. */
export const stripeCount = 4;

export type DataPacket = {
  readonly kind: "data" | "parity";
  readonly sessionId: number;
  readonly sequence: number;
  readonly chunkIndex: number;
  readonly frameSizeBytes: number;
  /** Of a piece of the chunk, or of a parity block: stripe × 256 + index within the stripe. */
  readonly blockIndex: number;
  readonly blockSizeBytes: number;
  /** A view into the datagram. */
  readonly block: Uint8Array;
};

/** A sealed chunk: up to 1 MiB of content that zstd could not shrink, its framing, and the AEAD tag. */
export const frameSizeBytesMax = (1 << 20) + 4096;

/** What comes before the piece. */
export type DataHeader = Omit<DataPacket, "block">;

export function writeDataHeader(view: DataView, offset: number, header: DataHeader): void {
  view.setUint16(offset, magic);
  view.setUint8(offset + 2, version);
  view.setUint8(offset + 3, header.kind === "data" ? 0 : 1);
  view.setUint32(offset + 4, header.sessionId);
  view.setUint32(offset + 8, header.sequence);
  view.setUint32(offset + 12, header.chunkIndex);
  view.setUint32(offset + 16, header.frameSizeBytes);
  view.setUint16(offset + 20, header.blockIndex);
  view.setUint16(offset + 22, header.blockSizeBytes);
}

export function encodeDataPacket(packet: DataPacket): Uint8Array {
  const bytes = new Uint8Array(dataHeaderSizeBytes + packet.block.byteLength);
  writeDataHeader(new DataView(bytes.buffer), 0, packet);
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
  const kind = view.getUint8(3);
  if (kind > 1) {
    refuse("bad-value", "kind", 3);
  }
  const frameSizeBytes = view.getUint32(16);
  const blockIndex = view.getUint16(20);
  const blockSizeBytes = view.getUint16(22);
  const pieceSizeBytes = bytes.byteLength - dataHeaderSizeBytes;
  if (frameSizeBytes === 0 || frameSizeBytes > frameSizeBytesMax || blockSizeBytes < 64) {
    refuse("bad-value", "frame size", 16);
  }
  const from = kind === 1 ? 0 : blockIndex * blockSizeBytes;
  const wantedSizeBytes = kind === 1 ? blockSizeBytes : Math.min(blockSizeBytes, frameSizeBytes - from);
  if (from >= frameSizeBytes || pieceSizeBytes !== wantedSizeBytes) {
    refuse("bad-length", "piece", dataHeaderSizeBytes);
  }
  if (kind === 1 && blockIndex >> 8 >= stripeCount) {
    refuse("bad-value", "block", 20);
  }
  return {
    kind: kind === 1 ? "parity" : "data",
    sessionId: view.getUint32(4),
    sequence: view.getUint32(8),
    chunkIndex: view.getUint32(12),
    frameSizeBytes,
    blockIndex,
    blockSizeBytes,
    block: bytes.subarray(dataHeaderSizeBytes),
  };
}
