import type { ImageLayout, ImagePartition } from "#engine/image/layout.ts";
import type { Disk } from "#platform/disk.ts";
import { type DiskPartition, type DiskPartitions, readPartitions } from "#platform/partition-reader.ts";
import {
  detectFileSystem,
  detectionSizeBytes,
  type FileSystemName,
  isHibernatedSwap,
} from "#wire/filesystem/detect-file-system.ts";
import { type ByteRange, mergeRanges } from "./byte-range.ts";
import { type CheckedPartition, findObstacles } from "./capture-check.ts";
import { readUsedBlocks } from "./used-blocks.ts";

export type DiskSurvey = {
  readonly layout: ImageLayout;
  /** Merged, in order: what has to be read. */
  readonly used: readonly ByteRange[];
  readonly obstacles: readonly string[];
};

/** Loaders hide between the table and the first partition; larger gaps hold nothing. */
const gapSizeBytesMax = 2 << 20;
const swapHeadSizeBytes = 64 << 10;
const wholeNotes: Partial<Record<FileSystemName, string>> = {
  luks: "encrypted (LUKS): all blocks are taken, and it cannot be resized",
  lvm: "LVM: all blocks are taken, and it cannot be resized",
  md: "RAID member: all blocks are taken, and it cannot be resized",
  bitlocker: "encrypted (BitLocker): all blocks are taken; it opens with its recovery key only",
  unknown: "no known file system: all blocks are taken",
};

type Seen = DiskPartition & CheckedPartition;

async function look(disk: Disk, partition: DiskPartition): Promise<Seen> {
  const sizeBytes = Math.min(detectionSizeBytes, partition.sizeBytes, disk.sizeBytes - partition.startBytes);
  const start = await disk.read(partition.startBytes, Math.max(0, sizeBytes));
  return {
    ...partition,
    fileSystem: detectFileSystem(start),
    isHibernatedSwap: isHibernatedSwap(start),
  };
}

async function take(
  diskPath: string,
  partition: Seen,
  signal: AbortSignal,
): Promise<{ readonly partition: ImagePartition; readonly ranges: readonly ByteRange[] }> {
  const { number, startBytes, sizeBytes, typeId, name, fileSystem } = partition;
  const base = { number, startBytes, sizeBytes, typeId, name: name.slice(0, 128), fileSystem };
  if (fileSystem === "swap") {
    const head = Math.min(swapHeadSizeBytes, sizeBytes);
    const note = "swap: only its label is taken";
    return {
      partition: { ...base, taken: "head", usedBytes: 0, note },
      ranges: [{ startBytes, sizeBytes: head }],
    };
  }
  const blocks = await readUsedBlocks(diskPath, partition, signal);
  if (blocks.type === "unknown") {
    const note = wholeNotes[fileSystem] ?? blocks.reason;
    return {
      partition: { ...base, taken: "all", usedBytes: null, note: note.slice(0, 1024) },
      ranges: [{ startBytes, sizeBytes }],
    };
  }
  const usedBytes = blocks.ranges.reduce((sum, range) => sum + range.sizeBytes, 0);
  return {
    partition: { ...base, taken: "used", usedBytes, note: null },
    ranges: blocks.ranges.map((range) => ({ ...range, startBytes: range.startBytes + startBytes })),
  };
}

/** What lies outside of partitions and may matter: the table and its backup, loaders, chains of logical partitions. */
function outside(disk: Disk, table: DiskPartitions): ByteRange[] {
  const ranges: ByteRange[] = [];
  let endBytes = 0;
  const inOrder = table.partitions.toSorted((a, b) => a.startBytes - b.startBytes);
  for (const { startBytes, sizeBytes } of [...inOrder, { startBytes: disk.sizeBytes, sizeBytes: 0 }]) {
    const gapBytes = startBytes - endBytes;
    if (gapBytes > 0) {
      const headBytes = Math.min(gapBytes, gapSizeBytesMax);
      ranges.push({ startBytes: endBytes, sizeBytes: headBytes });
      // The backup of a GPT, and the sectors that describe a logical partition, stand before what follows.
      const tailBytes = Math.min(gapBytes, 1 << 20);
      ranges.push({ startBytes: startBytes - tailBytes, sizeBytes: tailBytes });
    }
    endBytes = Math.max(endBytes, startBytes + sizeBytes);
  }
  return ranges;
}

/** Reads what is on a disk, what of it is in use, and what stands in the way of an image. */
export async function surveyDisk(diskPath: string, disk: Disk, signal: AbortSignal): Promise<DiskSurvey> {
  const table = await readPartitions(disk);
  const seen: Seen[] = [];
  for (const partition of table.partitions) {
    seen.push(await look(disk, partition));
  }
  if (table.tableType === "none") {
    // A file system without a table, or something that only all blocks can carry.
    seen.push(
      await look(disk, { number: 0, startBytes: 0, sizeBytes: disk.sizeBytes, typeId: "", name: "" }),
    );
  }
  const obstacles = await findObstacles(diskPath, table, seen);
  const ranges: ByteRange[] = table.tableType === "none" ? [] : outside(disk, table);
  const partitions: ImagePartition[] = [];
  for (const partition of seen) {
    const taken = await take(diskPath, partition, signal);
    partitions.push(taken.partition);
    ranges.push(...taken.ranges);
  }
  const { tableType, sectorSizeBytes } = table;
  return { layout: { tableType, sectorSizeBytes, partitions }, used: mergeRanges(ranges), obstacles };
}
