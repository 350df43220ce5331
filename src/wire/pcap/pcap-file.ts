import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";
import type { CapturedFrame } from "./captured-frame.ts";
import { EndianReader } from "./endian-reader.ts";

/*
 * File header, in the byte order of its magic:
 *      0    4 magic a1b2c3d4 (µs) or a1b23c4d (ns)
 *      4    2 major 2    6 2 minor 4
 *      8    8 unused
 *     16    4 largest size kept of a frame
 *     20    4 link type in the low 16 bits
 * then records:
 *      0    4 seconds    4 4 µs or ns
 *      8    4 bytes kept 12 4 bytes on the wire
 *     16    … the frame
 * draft-ietf-opsawg-pcap
 */

const magics: readonly { magic: number; isLittleEndian: boolean; isNanoseconds: boolean }[] = [
  { magic: 0xa1b2c3d4, isLittleEndian: false, isNanoseconds: false },
  { magic: 0xd4c3b2a1, isLittleEndian: true, isNanoseconds: false },
  { magic: 0xa1b23c4d, isLittleEndian: false, isNanoseconds: true },
  { magic: 0x4d3cb2a1, isLittleEndian: true, isNanoseconds: true },
];

/** No frame of any link is longer; what claims to be is damage. */
export const frameBytesMax = 262_144;

/** @throws WireError `truncated` | `bad-magic` | `too-long` */
export function* readPcap(bytes: Uint8Array): Generator<CapturedFrame, void> {
  const magic = new ByteReader(bytes).uint32("magic");
  const form = magics.find((row) => row.magic === magic);
  if (form === undefined) {
    const detail = magic.toString(16).padStart(8, "0");
    throw new WireError({ code: "bad-magic", field: "pcap magic", offset: 0, detail });
  }
  const reader = new EndianReader(bytes, form.isLittleEndian);
  reader.skip(20, "pcap header");
  const linkType = reader.u32("link type") & 0xffff;
  while (reader.remainingBytes > 0) {
    const seconds = reader.u32("seconds");
    const fraction = reader.u32("fraction of a second");
    const sizeBytes = reader.u32("bytes kept");
    const originalBytes = reader.u32("bytes on the wire");
    if (sizeBytes > frameBytesMax) {
      const sizes = { needBytes: sizeBytes, haveBytes: frameBytesMax };
      throw new WireError({ code: "too-long", field: "bytes kept", offset: reader.offset - 8, ...sizes });
    }
    yield {
      atUs:
        BigInt(seconds) * 1_000_000n + BigInt(form.isNanoseconds ? Math.floor(fraction / 1000) : fraction),
      linkType,
      originalBytes,
      bytes: reader.view(sizeBytes, "frame"),
    };
  }
}

/** The header of a big-endian file with microseconds. Frames follow by `encodePcapRecord`. */
export function encodePcapHeader(linkType: number): Uint8Array<ArrayBuffer> {
  return new ByteWriter(24)
    .uint32(0xa1b2c3d4)
    .uint16(2)
    .uint16(4)
    .zeros(8)
    .uint32(frameBytesMax)
    .uint32(linkType)
    .finish();
}

/** @throws WireError `too-long` over 262144 bytes */
export function encodePcapRecord(
  frame: Pick<CapturedFrame, "atUs" | "originalBytes" | "bytes">,
): Uint8Array<ArrayBuffer> {
  const sizeBytes = frame.bytes.byteLength;
  if (sizeBytes > frameBytesMax) {
    const sizes = { needBytes: sizeBytes, haveBytes: frameBytesMax };
    throw new WireError({ code: "too-long", field: "frame", offset: 16, ...sizes });
  }
  return new ByteWriter(16 + sizeBytes)
    .uint32(Number(frame.atUs / 1_000_000n))
    .uint32(Number(frame.atUs % 1_000_000n))
    .uint32(sizeBytes)
    .uint32(frame.originalBytes)
    .put(frame.bytes)
    .finish();
}

/** A whole file. Frames of another link type than the file's are the caller's error. */
export function encodePcap(linkType: number, frames: readonly CapturedFrame[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter().put(encodePcapHeader(linkType));
  for (const frame of frames) {
    writer.put(encodePcapRecord(frame));
  }
  return writer.finish();
}
