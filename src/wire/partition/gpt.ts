import { crc32 } from "../bytes/crc32.ts";
import { WireError } from "../bytes/wire-error.ts";
import { decodeGuid, guidSizeBytes } from "./guid.ts";

/*
 * Header, in the second sector and in the disk's last. UEFI 2.10 §5.3.2
 * | offset | size | field                                  |
 * | ------ | ---- | -------------------------------------- |
 * | 0      | 8    | signature, "EFI PART"                  |
 * | 8      | 4    | revision                               |
 * | 12     | 4    | header size, 92                        |
 * | 16     | 4    | CRC-32 of the header, this field as 0  |
 * | 24     | 8    | sector of this header                  |
 * | 32     | 8    | sector of the other header             |
 * | 40     | 8    | first usable sector                    |
 * | 48     | 8    | last usable sector                     |
 * | 56     | 16   | disk GUID                              |
 * | 72     | 8    | first sector of the entries            |
 * | 80     | 4    | number of entries                      |
 * | 84     | 4    | size of one entry                      |
 * | 88     | 4    | CRC-32 of the entries                  |
 */
export const gptOffsets = {
  headerSize: 12,
  headerCrc: 16,
  ownSector: 24,
  otherSector: 32,
  firstUsable: 40,
  lastUsable: 48,
  diskId: 56,
  entriesSector: 72,
  entryCount: 80,
  entrySize: 84,
  entriesCrc: 88,
} as const;

/** Of one entry: type, id, first sector, last sector, attributes, name in UTF-16. UEFI 2.10 §5.3.3 */
export const gptEntryOffsets = { typeId: 0, id: 16, first: 32, last: 40, name: 56, nameSize: 72 } as const;

/** "EFI PART" */
const signature = [0x45, 0x46, 0x49, 0x20, 0x50, 0x41, 0x52, 0x54] as const;
const entryCountMax = 256;

export type GptEntry = {
  /** From 1, as tools number them. */
  readonly number: number;
  readonly typeId: string;
  readonly id: string;
  readonly name: string;
  readonly firstSector: number;
  readonly lastSector: number;
};

export type Gpt = {
  readonly sectorSizeBytes: number;
  readonly diskId: string;
  readonly ownSector: number;
  readonly otherSector: number;
  readonly firstUsableSector: number;
  readonly lastUsableSector: number;
  readonly entriesSector: number;
  readonly entryCount: number;
  readonly entrySizeBytes: number;
  readonly entriesCrc: number;
  readonly entries: readonly GptEntry[];
};

export type GptHeader = Omit<Gpt, "entries">;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function sectorAt(view: DataView, offset: number): number {
  const sector = view.getBigUint64(offset, true);
  if (sector > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new WireError({ code: "bad-value", field: "GPT sector", offset });
  }
  return Number(sector);
}

/** Whether a sector begins like a GPT header; it may still be damaged. */
export function isGptHeader(sector: Uint8Array): boolean {
  return signature.every((byte, index) => sector[index] === byte);
}

/** @param sector the one sector of the header. @throws WireError `bad-value` | `truncated` */
export function decodeGptHeader(sector: Uint8Array, sectorSizeBytes: number): GptHeader {
  if (sector.byteLength < 92 || !isGptHeader(sector)) {
    throw new WireError({ code: "bad-value", field: "GPT signature", offset: 0 });
  }
  const view = viewOf(sector);
  const headerSize = view.getUint32(gptOffsets.headerSize, true);
  if (headerSize < 92 || headerSize > sector.byteLength) {
    throw new WireError({ code: "bad-value", field: "GPT header size", offset: gptOffsets.headerSize });
  }
  const header = Uint8Array.from(sector.subarray(0, headerSize));
  viewOf(header).setUint32(gptOffsets.headerCrc, 0, true);
  if (crc32(header) !== view.getUint32(gptOffsets.headerCrc, true)) {
    throw new WireError({ code: "bad-value", field: "GPT header CRC", offset: gptOffsets.headerCrc });
  }
  const entryCount = view.getUint32(gptOffsets.entryCount, true);
  const entrySizeBytes = view.getUint32(gptOffsets.entrySize, true);
  if (entryCount > entryCountMax || entrySizeBytes < 128 || entrySizeBytes > 4096) {
    throw new WireError({ code: "bad-value", field: "GPT entries", offset: gptOffsets.entryCount });
  }
  return {
    sectorSizeBytes,
    diskId: decodeGuid(sector, gptOffsets.diskId),
    ownSector: sectorAt(view, gptOffsets.ownSector),
    otherSector: sectorAt(view, gptOffsets.otherSector),
    firstUsableSector: sectorAt(view, gptOffsets.firstUsable),
    lastUsableSector: sectorAt(view, gptOffsets.lastUsable),
    entriesSector: sectorAt(view, gptOffsets.entriesSector),
    entryCount,
    entrySizeBytes,
    entriesCrc: view.getUint32(gptOffsets.entriesCrc, true),
  };
}

function decodeEntry(entry: Uint8Array, number: number): GptEntry | null {
  if (entry.subarray(0, guidSizeBytes).every((byte) => byte === 0)) {
    return null;
  }
  const view = viewOf(entry);
  const name = new TextDecoder("utf-16le").decode(
    entry.subarray(gptEntryOffsets.name, gptEntryOffsets.name + gptEntryOffsets.nameSize),
  );
  return {
    number,
    typeId: decodeGuid(entry, gptEntryOffsets.typeId),
    id: decodeGuid(entry, gptEntryOffsets.id),
    name: name.split("\0", 1)[0] ?? "",
    firstSector: sectorAt(view, gptEntryOffsets.first),
    lastSector: sectorAt(view, gptEntryOffsets.last),
  };
}

/** @param bytes the entries as they lie on the disk. @throws WireError `bad-value` | `truncated` */
export function decodeGptEntries(header: GptHeader, bytes: Uint8Array): Gpt {
  const { entryCount, entrySizeBytes, entriesCrc } = header;
  const content = bytes.subarray(0, entryCount * entrySizeBytes);
  if (content.byteLength < entryCount * entrySizeBytes) {
    throw new WireError({ code: "truncated", field: "GPT entries", offset: content.byteLength });
  }
  if (crc32(content) !== entriesCrc) {
    throw new WireError({ code: "bad-value", field: "GPT entries CRC", offset: 0 });
  }
  const entries = Array.from({ length: entryCount }, (_, index) =>
    decodeEntry(content.subarray(index * entrySizeBytes, (index + 1) * entrySizeBytes), index + 1),
  ).filter((entry) => entry !== null);
  return { ...header, entries };
}
