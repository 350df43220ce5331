import { WireError } from "#wire/bytes/wire-error.ts";
import { decodeGptEntries, decodeGptHeader, type Gpt, isGptHeader } from "#wire/partition/gpt.ts";
import {
  decodeMbr,
  isExtended,
  isMbr,
  type MbrEntry,
  mbrOffsets,
  protectiveType,
} from "#wire/partition/mbr.ts";
import type { Disk } from "./disk.ts";

export type DiskPartition = {
  readonly number: number;
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** GUID of a GPT entry, or two hexadecimal digits of an MBR one. */
  readonly typeId: string;
  readonly name: string;
};

export type DiskPartitions = {
  readonly tableType: "gpt" | "mbr" | "none";
  readonly sectorSizeBytes: number;
  readonly gpt: Gpt | null;
  readonly partitions: readonly DiskPartition[];
  /** What is wrong with the table, for people. */
  readonly problem: string | null;
};

const sectorSizes = [512, 4096] as const;
/** A chain of logical partitions that is longer goes in circles. */
const logicalCountMax = 64;

async function readGpt(disk: Disk, sector: number, sectorSizeBytes: number): Promise<Gpt | null> {
  const offset = sector * sectorSizeBytes;
  if (offset + sectorSizeBytes > disk.sizeBytes || sector < 1) {
    return null;
  }
  try {
    const header = decodeGptHeader(await disk.read(offset, sectorSizeBytes), sectorSizeBytes);
    const entriesBytes = header.entryCount * header.entrySizeBytes;
    const entriesOffset = header.entriesSector * sectorSizeBytes;
    if (entriesOffset + entriesBytes > disk.sizeBytes) {
      return null;
    }
    return decodeGptEntries(header, await disk.read(entriesOffset, entriesBytes));
  } catch (error) {
    if (error instanceof WireError) {
      return null;
    }
    throw error;
  }
}

function fromGpt(gpt: Gpt, problem: string | null): DiskPartitions {
  const { sectorSizeBytes } = gpt;
  const partitions = gpt.entries.map(({ number, firstSector, lastSector, typeId, name }) => ({
    number,
    startBytes: firstSector * sectorSizeBytes,
    sizeBytes: (lastSector - firstSector + 1) * sectorSizeBytes,
    typeId,
    name,
  }));
  return { tableType: "gpt", sectorSizeBytes, gpt, partitions, problem };
}

async function findGpt(disk: Disk, sectorSizeBytes: number): Promise<DiskPartitions | null> {
  if (disk.sizeBytes < 3 * sectorSizeBytes) {
    return null;
  }
  const isMarked = isGptHeader(await disk.read(sectorSizeBytes, sectorSizeBytes));
  const primary = isMarked ? await readGpt(disk, 1, sectorSizeBytes) : null;
  const backupSector = Math.floor(disk.sizeBytes / sectorSizeBytes) - 1;
  if (primary !== null) {
    const backup = await readGpt(disk, primary.otherSector, sectorSizeBytes);
    const problem =
      backup === null
        ? "the backup of its partition table (GPT) is missing or damaged"
        : primary.otherSector !== backupSector
          ? "the backup of its partition table (GPT) is not at the end of the disk"
          : null;
    return fromGpt(primary, problem);
  }
  const backup = await readGpt(disk, backupSector, sectorSizeBytes);
  return backup === null
    ? null
    : fromGpt(backup, "its first partition table (GPT) is damaged; the backup was read");
}

async function readLogical(disk: Disk, extended: MbrEntry): Promise<MbrEntry[]> {
  const found: MbrEntry[] = [];
  let sector = extended.firstSector;
  for (let count = 0; count < logicalCountMax && sector * 512 + 512 <= disk.sizeBytes; count += 1) {
    const bytes = await disk.read(sector * 512, 512);
    if (!isMbr(bytes)) {
      break;
    }
    const entries = decodeMbr(bytes);
    const logical = entries.find((entry) => !isExtended(entry));
    if (logical !== undefined) {
      found.push({ ...logical, number: 5 + found.length, firstSector: sector + logical.firstSector });
    }
    const next = entries.find(isExtended);
    if (next === undefined) {
      break;
    }
    sector = extended.firstSector + next.firstSector;
  }
  return found;
}

/** A file system may begin in the first sector too, and has the same mark: its "entries" make no sense as such. */
function isPlausible(entries: readonly MbrEntry[], disk: Disk, first: Uint8Array): boolean {
  const flags = [0, 1, 2, 3].map((index) => first[mbrOffsets.entries + index * mbrOffsets.entrySize] ?? 0);
  return (
    flags.every((flag) => flag === 0 || flag === 0x80) &&
    entries.every(
      (entry) => entry.firstSector > 0 && (entry.firstSector + entry.sectorCount) * 512 <= disk.sizeBytes,
    )
  );
}

async function findMbr(disk: Disk): Promise<DiskPartitions | null> {
  if (disk.sizeBytes < 512) {
    return null;
  }
  const first = await disk.read(0, 512);
  const entries = isMbr(first) ? decodeMbr(first) : [];
  if (
    entries.length === 0 ||
    entries.some((entry) => entry.typeByte === protectiveType) ||
    !isPlausible(entries, disk, first)
  ) {
    return null;
  }
  const extended = entries.find(isExtended);
  const logical = extended === undefined ? [] : await readLogical(disk, extended);
  const partitions = [...entries.filter((entry) => !isExtended(entry)), ...logical].map((entry) => ({
    number: entry.number,
    startBytes: entry.firstSector * 512,
    sizeBytes: entry.sectorCount * 512,
    typeId: entry.typeByte.toString(16).padStart(2, "0"),
    name: "",
  }));
  return { tableType: "mbr", sectorSizeBytes: 512, gpt: null, partitions, problem: null };
}

/** The partitions of a disk, from its own bytes; the kernel is not asked. */
export async function readPartitions(disk: Disk): Promise<DiskPartitions> {
  for (const sectorSizeBytes of sectorSizes) {
    const found = await findGpt(disk, sectorSizeBytes);
    if (found !== null) {
      return found;
    }
  }
  return (
    (await findMbr(disk)) ?? {
      tableType: "none",
      sectorSizeBytes: 512,
      gpt: null,
      partitions: [],
      problem: null,
    }
  );
}
