import { ByteReader } from "../bytes/byte-reader.ts";
import { WireError } from "../bytes/wire-error.ts";
import type { CapturedFrame } from "./captured-frame.ts";
import { EndianReader } from "./endian-reader.ts";
import { frameBytesMax } from "./pcap-file.ts";

/*
 * A file is blocks:
 *      0    4 type
 *      4    4 total size, a multiple of 4
 *      8    … body
 *     -4    4 total size again
 * Section header (0a0d0d0a): byte order 1a2b3c4d, version, section size, options. Resets the interfaces.
 * Interface (1): link type u16, reserved u16, largest size u32, options; 9 = unit of time.
 * Enhanced packet (6): interface u32, time high u32, time low u32, bytes kept u32, bytes on the wire u32, frame.
 * Simple packet (3): bytes on the wire u32, frame; belongs to interface 0, has no time.
 * draft-ietf-opsawg-pcapng
 */

const blockTypes = { sectionHeader: 0x0a0d0d0a, interface: 1, simplePacket: 3, enhancedPacket: 6 } as const;
const timeUnitOption = 9;
/** BOUNDED: a capture has one interface per network card; more is damage. */
const interfacesMax = 4096;

type CaptureInterface = {
  readonly linkType: number;
  readonly frameBytesMax: number;
  readonly unitsPerSecond: bigint;
};

export function isPcapng(magic: number): boolean {
  return magic === blockTypes.sectionHeader;
}

/** Unknown blocks are skipped. @throws WireError `truncated` | `bad-magic` | `bad-length` | `bad-value` | `too-long` */
export function* readPcapng(bytes: Uint8Array): Generator<CapturedFrame, void> {
  let isLittleEndian = false;
  let offset = 0;
  let interfaces: CaptureInterface[] = [];
  while (offset < bytes.byteLength) {
    const type = new ByteReader(bytes.subarray(offset)).uint32("block type");
    if (type === blockTypes.sectionHeader) {
      isLittleEndian = readByteOrder(bytes.subarray(offset));
      interfaces = [];
    } else if (offset === 0) {
      throw new WireError({ code: "bad-magic", field: "pcapng section", offset });
    }
    const block = readBlock(bytes.subarray(offset), isLittleEndian, offset);
    if (block.type === blockTypes.interface) {
      if (interfaces.length === interfacesMax) {
        throw new WireError({ code: "too-long", field: "interfaces", offset });
      }
      interfaces.push(readInterface(block.body));
    } else if (block.type === blockTypes.enhancedPacket) {
      yield readEnhancedPacket(block.body, interfaces);
    } else if (block.type === blockTypes.simplePacket) {
      yield readSimplePacket(block.body, interfaces);
    }
    offset += block.totalBytes;
  }
}

function readByteOrder(bytes: Uint8Array): boolean {
  const reader = new ByteReader(bytes);
  reader.skip(8, "section header");
  const order = reader.uint32("byte order");
  if (order !== 0x1a2b3c4d && order !== 0x4d3c2b1a) {
    throw new WireError({ code: "bad-magic", field: "byte order", offset: 8 });
  }
  return order === 0x4d3c2b1a;
}

type Block = { readonly type: number; readonly totalBytes: number; readonly body: EndianReader };

function readBlock(bytes: Uint8Array, isLittleEndian: boolean, offset: number): Block {
  const reader = new EndianReader(bytes, isLittleEndian);
  const type = reader.u32("block type");
  const totalBytes = reader.u32("block size");
  if (totalBytes < 12 || totalBytes % 4 !== 0) {
    throw new WireError({
      code: "bad-length",
      field: "block size",
      offset: offset + 4,
      detail: String(totalBytes),
    });
  }
  const body = new EndianReader(reader.view(totalBytes - 12, "block"), isLittleEndian);
  if (reader.u32("block size again") !== totalBytes) {
    throw new WireError({ code: "bad-length", field: "block size again", offset: offset + totalBytes - 4 });
  }
  return { type, totalBytes, body };
}

function readInterface(body: EndianReader): CaptureInterface {
  const linkType = body.u16("link type");
  body.skip(2, "reserved");
  const snapBytes = body.u32("largest size");
  let unitsPerSecond = 1_000_000n;
  while (body.remainingBytes >= 4) {
    const code = body.u16("option code");
    const sizeBytes = body.u16("option size");
    if (code === 0) {
      break;
    }
    const value = body.view(sizeBytes, "option");
    body.skip(Math.min(body.remainingBytes, (4 - (sizeBytes % 4)) % 4), "option padding");
    if (code === timeUnitOption && sizeBytes === 1) {
      const unit = new ByteReader(value).uint8("unit of time");
      unitsPerSecond = (unit & 0x80) === 0 ? 10n ** BigInt(unit) : 2n ** BigInt(unit & 0x7f);
    }
  }
  return { linkType, frameBytesMax: snapBytes === 0 ? frameBytesMax : snapBytes, unitsPerSecond };
}

function findInterface(interfaces: readonly CaptureInterface[], index: number): CaptureInterface {
  const found = interfaces[index];
  if (found === undefined) {
    throw new WireError({ code: "bad-value", field: "interface", offset: 8, detail: String(index) });
  }
  return found;
}

function readEnhancedPacket(body: EndianReader, interfaces: readonly CaptureInterface[]): CapturedFrame {
  const from = findInterface(interfaces, body.u32("interface"));
  const high = body.u32("time high");
  const units = (BigInt(high) << 32n) | BigInt(body.u32("time low"));
  const sizeBytes = body.u32("bytes kept");
  const originalBytes = body.u32("bytes on the wire");
  const atUs = (units * 1_000_000n) / from.unitsPerSecond;
  return { atUs, linkType: from.linkType, originalBytes, bytes: body.view(sizeBytes, "frame") };
}

function readSimplePacket(body: EndianReader, interfaces: readonly CaptureInterface[]): CapturedFrame {
  const from = findInterface(interfaces, 0);
  const originalBytes = body.u32("bytes on the wire");
  const sizeBytes = Math.min(originalBytes, from.frameBytesMax);
  return { atUs: 0n, linkType: from.linkType, originalBytes, bytes: body.view(sizeBytes, "frame") };
}
