import type { ResizeRule } from "#wire/control/image-task-message.ts";
import type { ImageLayout, ImagePartition } from "./layout.ts";

/** Where a piece of the image's disk goes. */
export type Segment = {
  readonly imageStartBytes: number;
  readonly sizeBytes: number;
  /** On the target, or in memory: what lies beyond a smaller partition, until its file system is shrunk. */
  readonly place: "disk" | "memory";
  readonly placeStartBytes: number;
};

export type PartitionPlace = {
  readonly number: number;
  readonly startBytes: number;
  readonly sizeBytes: number;
};

const growable = ["ext", "xfs", "btrfs", "ntfs"] as const;
const shrinkable = ["ext", "btrfs", "ntfs"] as const;
export type GrowableFileSystem = (typeof growable)[number];
export type ShrinkableFileSystem = (typeof shrinkable)[number];

export type PlacedResize = { readonly place: PartitionPlace; readonly oldSizeBytes: number } & (
  | { readonly change: "grow"; readonly fileSystem: GrowableFileSystem }
  | { readonly change: "shrink"; readonly fileSystem: ShrinkableFileSystem }
);

export type Placement =
  | {
      readonly type: "placed";
      /** Cover the image's disk without gaps, in order. */
      readonly segments: readonly Segment[];
      readonly partitions: readonly PartitionPlace[];
      readonly resize: PlacedResize | null;
    }
  | { readonly type: "refused"; readonly reason: string };

const alignmentBytes = 1 << 20;
/** The backup of a GPT: 32 sectors of entries and the header, in sectors of up to 4096 bytes. */
const tableReserveBytes = 33 * 4096;

function refuse(reason: string): Placement {
  return { type: "refused", reason };
}

function megabytes(sizeBytes: number): string {
  return `${Math.ceil(sizeBytes / 1e6)} MB`;
}

function endOf({
  startBytes,
  sizeBytes,
}: {
  readonly startBytes: number;
  readonly sizeBytes: number;
}): number {
  return startBytes + sizeBytes;
}

/** The image as it is. Its end may stay behind the end of the disk. */
export function placeExactly(imageSizeBytes: number): Placement {
  return {
    type: "placed",
    segments: [{ imageStartBytes: 0, sizeBytes: imageSizeBytes, place: "disk", placeStartBytes: 0 }],
    partitions: [],
    resize: null,
  };
}

function findPartition(layout: ImageLayout, rule: ResizeRule): ImagePartition | null {
  const inOrder = layout.partitions.toSorted((a, b) => endOf(a) - endOf(b));
  const found =
    rule.partition === "last"
      ? inOrder.at(-1)
      : inOrder.find((partition) => partition.number === rule.partition);
  return found ?? null;
}

/** Why this partition cannot take the difference, or `null`. */
function faultOf(layout: ImageLayout, partition: ImagePartition, deltaBytes: number): string | null {
  const name = `partition ${partition.number} (${partition.fileSystem})`;
  if (layout.tableType === "mbr" && layout.partitions.some(({ number }) => number > 4)) {
    return "the image has logical partitions, which cannot be moved or resized";
  }
  const neededBytes = partition.usedBytes ?? 0;
  return partition.sizeBytes + deltaBytes <= Math.max(neededBytes, alignmentBytes)
    ? `the disk is too small: ${name} holds ${megabytes(neededBytes)} and would get ${megabytes(Math.max(0, partition.sizeBytes + deltaBytes))}`
    : null;
}

/** What the file system has to do; `null` for nothing. */
function planResize({ fileSystem }: ImagePartition, deltaBytes: number) {
  if (deltaBytes === 0) {
    return null;
  }
  const grown = deltaBytes > 0 ? growable.find((name) => name === fileSystem) : undefined;
  const shrunk = deltaBytes < 0 ? shrinkable.find((name) => name === fileSystem) : undefined;
  if (grown !== undefined) {
    return { change: "grow" as const, fileSystem: grown };
  }
  return shrunk === undefined ? "not-possible" : { change: "shrink" as const, fileSystem: shrunk };
}

/**
 * Fits an image to a disk of another size: one partition takes the difference, those behind it move as they are.
 *
 * @param layout of the image; absent when its disk was not looked into
 */
export function placeImage(
  layout: ImageLayout | undefined,
  imageSizeBytes: number,
  diskSizeBytes: number,
  rule: ResizeRule,
): Placement {
  if (layout === undefined || layout.tableType === "none") {
    return refuse("the image has no partition table that is known, so nothing on it can be resized");
  }
  const partition = findPartition(layout, rule);
  if (partition === null) {
    const numbers = layout.partitions.map(({ number }) => number).join(", ");
    return refuse(`the image has no partition ${rule.partition}; it has: ${numbers}`);
  }
  const lastEnd = Math.max(...layout.partitions.map(endOf));
  const available = Math.floor((diskSizeBytes - tableReserveBytes) / alignmentBytes) * alignmentBytes;
  const deltaBytes = Math.floor((available - lastEnd) / alignmentBytes) * alignmentBytes;
  if (deltaBytes < 0 && !rule.mayShrink) {
    return refuse(
      `the disk is smaller than the image's partitions by ${megabytes(-deltaBytes)}; allow shrinking with --resize`,
    );
  }
  const fault = deltaBytes === 0 ? null : faultOf(layout, partition, deltaBytes);
  const change = planResize(partition, deltaBytes);
  if (fault !== null || change === "not-possible") {
    const name = `partition ${partition.number} (${partition.fileSystem})`;
    const verb = deltaBytes > 0 ? "grow" : "shrink";
    return refuse(
      fault ?? `${name} cannot ${verb}; name another partition to resize, or choose another disk`,
    );
  }
  const sizeBytes = partition.sizeBytes + deltaBytes;
  const place = { number: partition.number, startBytes: partition.startBytes, sizeBytes };
  return {
    type: "placed",
    segments: cut(imageSizeBytes, endOf(partition), lastEnd, deltaBytes),
    partitions: layout.partitions.map((other) =>
      other === partition
        ? place
        : {
            number: other.number,
            startBytes:
              other.startBytes >= endOf(partition) ? other.startBytes + deltaBytes : other.startBytes,
            sizeBytes: other.sizeBytes,
          },
    ),
    resize: change === null ? null : { ...change, place, oldSizeBytes: partition.sizeBytes },
  };
}

/** What stays, what is put aside, what moves; behind the last partition is only the old backup of the table. */
function cut(imageSizeBytes: number, partitionEnd: number, lastEnd: number, deltaBytes: number): Segment[] {
  const keptEnd = partitionEnd + Math.min(0, deltaBytes);
  const pieces = [
    { from: 0, to: keptEnd, place: "disk", at: 0 },
    { from: keptEnd, to: partitionEnd, place: "memory", at: 0 },
    { from: partitionEnd, to: lastEnd, place: "disk", at: partitionEnd + deltaBytes },
    { from: lastEnd, to: imageSizeBytes, place: "memory", at: partitionEnd - keptEnd },
  ] as const;
  return pieces
    .filter(({ from, to }) => to > from)
    .map(({ from, to, place, at }) => ({
      imageStartBytes: from,
      sizeBytes: to - from,
      place,
      placeStartBytes: at,
    }));
}

/** Bytes of the image's chunks that would have to be kept in memory. */
export function memoryNeeded(
  segments: readonly Segment[],
  chunks: readonly (string | null)[],
  chunkSizeBytes: number,
): number {
  let sizeBytes = 0;
  for (const segment of segments.filter(({ place }) => place === "memory")) {
    const end = segment.imageStartBytes + segment.sizeBytes;
    const first = Math.floor(segment.imageStartBytes / chunkSizeBytes);
    for (let index = first; index * chunkSizeBytes < end; index += 1) {
      sizeBytes += (chunks[index] ?? null) === null ? 0 : chunkSizeBytes;
    }
  }
  return sizeBytes;
}
