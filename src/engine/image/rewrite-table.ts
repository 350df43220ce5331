import { crc32 } from "#wire/bytes/crc32.ts";
import { decodeGptEntries, decodeGptHeader, gptEntryOffsets, gptOffsets } from "#wire/partition/gpt.ts";
import { encodeGuid } from "#wire/partition/guid.ts";
import { mbrEntryOffsets, mbrOffsets } from "#wire/partition/mbr.ts";
import type { PartitionPlace } from "./place-image.ts";

export type TableChange = {
  readonly diskSizeBytes: number;
  readonly sectorSizeBytes: number;
  /** Where partitions are now; others stay. */
  readonly partitions: readonly PartitionPlace[];
  /** New identities, or `null` for the image's. */
  readonly ids: {
    readonly disk: string;
    /** Keyed by partition number. */
    readonly partitions: ReadonlyMap<number, string>;
  } | null;
};

export type RewrittenTable = {
  /** The beginning of the disk, table included. */
  readonly first: Uint8Array<ArrayBuffer>;
  /** What belongs at the end of the disk; `null` for an MBR. */
  readonly backup: { readonly startBytes: number; readonly bytes: Uint8Array } | null;
};

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function putSector(view: DataView, offset: number, sector: number): void {
  view.setBigUint64(offset, BigInt(sector), true);
}

function sealHeader(header: Uint8Array): void {
  const view = viewOf(header);
  const sizeBytes = view.getUint32(gptOffsets.headerSize, true);
  view.setUint32(gptOffsets.headerCrc, 0, true);
  view.setUint32(gptOffsets.headerCrc, crc32(header.subarray(0, sizeBytes)), true);
}

/**
 * A GPT for a disk of another size: entries where the partitions are now, the backup at the very end.
 *
 * @param start the beginning of the image's disk, with header and entries. @throws WireError when there is no GPT
 */
export function rewriteGpt(start: Uint8Array, change: TableChange): RewrittenTable {
  const { sectorSizeBytes, diskSizeBytes, partitions, ids } = change;
  const first = Uint8Array.from(start);
  const header = first.subarray(sectorSizeBytes, 2 * sectorSizeBytes);
  const old = decodeGptHeader(header, sectorSizeBytes);
  const entriesStart = old.entriesSector * sectorSizeBytes;
  const entriesBytes = old.entryCount * old.entrySizeBytes;
  const entries = first.subarray(entriesStart, entriesStart + entriesBytes);
  decodeGptEntries(old, entries);
  for (const { number, startBytes, sizeBytes } of partitions) {
    const entry = viewOf(entries.subarray((number - 1) * old.entrySizeBytes, number * old.entrySizeBytes));
    putSector(entry, gptEntryOffsets.first, startBytes / sectorSizeBytes);
    putSector(entry, gptEntryOffsets.last, (startBytes + sizeBytes) / sectorSizeBytes - 1);
  }
  for (const [number, id] of ids?.partitions ?? []) {
    entries.set(encodeGuid(id), (number - 1) * old.entrySizeBytes + gptEntryOffsets.id);
  }
  const lastSector = Math.floor(diskSizeBytes / sectorSizeBytes) - 1;
  const entriesSectors = Math.ceil(entriesBytes / sectorSizeBytes);
  const view = viewOf(header);
  putSector(view, gptOffsets.otherSector, lastSector);
  putSector(view, gptOffsets.lastUsable, lastSector - entriesSectors - 1);
  view.setUint32(gptOffsets.entriesCrc, crc32(entries), true);
  if (ids !== null) {
    header.set(encodeGuid(ids.disk), gptOffsets.diskId);
  }
  sealHeader(header);
  const backup = new Uint8Array((entriesSectors + 1) * sectorSizeBytes);
  backup.set(entries);
  const backupHeader = backup.subarray(entriesSectors * sectorSizeBytes);
  backupHeader.set(header);
  const backupView = viewOf(backupHeader);
  putSector(backupView, gptOffsets.ownSector, lastSector);
  putSector(backupView, gptOffsets.otherSector, 1);
  putSector(backupView, gptOffsets.entriesSector, lastSector - entriesSectors);
  sealHeader(backupHeader);
  // The protective MBR covers the whole disk, as far as its 32 bits reach.
  const protective = mbrOffsets.entries + mbrEntryOffsets.sectorCount;
  viewOf(first).setUint32(protective, Math.min(lastSector, 0xffffffff), true);
  return { first, backup: { startBytes: (lastSector - entriesSectors) * sectorSizeBytes, bytes: backup } };
}

/** The same for an MBR; `ids.disk` is a GUID whose first digits become the disk signature. */
export function rewriteMbr(start: Uint8Array, { partitions, ids }: TableChange): RewrittenTable {
  const first = Uint8Array.from(start);
  const view = viewOf(first);
  for (const { number, startBytes, sizeBytes } of partitions) {
    const at = mbrOffsets.entries + (number - 1) * mbrOffsets.entrySize;
    view.setUint32(at + mbrEntryOffsets.firstSector, startBytes / 512, true);
    view.setUint32(at + mbrEntryOffsets.sectorCount, sizeBytes / 512, true);
  }
  if (ids !== null) {
    view.setUint32(mbrOffsets.diskSignature, Number.parseInt(ids.disk.slice(0, 8), 16), true);
  }
  return { first, backup: null };
}
