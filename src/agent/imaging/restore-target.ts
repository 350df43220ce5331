import { randomUUID } from "node:crypto";
import { rm, truncate, writeFile } from "node:fs/promises";
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";
import type { Manifest } from "#engine/image/manifest.ts";
import {
  memoryNeeded,
  type Placement,
  placeExactly,
  placeImage,
  type PlacedResize,
} from "#engine/image/place-image.ts";
import { rewriteGpt, rewriteMbr } from "#engine/image/rewrite-table.ts";
import { type Disk, openDisk } from "#platform/disk.ts";
import { joinDevices } from "#platform/joined-device.ts";
import { attachLoop, type LoopDevice } from "#platform/loop-device.ts";
import type { RestoreOptions } from "#wire/control/image-task-message.ts";
import type { FinalTable } from "./disk-restore.ts";
import { PlacedDisk } from "./placed-disk.ts";
import { growFileSystem, shrinkFileSystem } from "./resize-file-system.ts";

type Placed = Extract<Placement, { type: "placed" }>;

/** Of the memory that is free, what may hold the end of a file system while it is shrunk. */
const memoryShareMax = 0.7;

/** The disk that is written, the places of the image on it, and what is done to it after the last chunk. */
export class RestoreTarget {
  readonly path: string;
  readonly disk: Disk;
  /** The image's disk: same as `disk` when the image is taken exactly. */
  readonly placed: Disk;
  readonly #placement: Placed;
  readonly #memoryPath: string | null;
  readonly #memorySizeBytes: number;

  private constructor(
    path: string,
    disks: { readonly disk: Disk; readonly placed: Disk },
    placement: Placed,
    memory: { readonly path: string | null; readonly sizeBytes: number },
  ) {
    this.path = path;
    this.disk = disks.disk;
    this.placed = disks.placed;
    this.#placement = placement;
    this.#memoryPath = memory.path;
    this.#memorySizeBytes = memory.sizeBytes;
  }

  /** @returns the reason when the image cannot be put on this disk; nothing was changed then */
  static async open(
    path: string,
    manifest: Manifest,
    options: RestoreOptions,
  ): Promise<RestoreTarget | { readonly refusal: string }> {
    const disk = await openDisk(path, "write");
    const placement =
      options.resize === null
        ? placeExactly(manifest.sizeBytes)
        : placeImage(manifest.layout, manifest.sizeBytes, disk.sizeBytes, options.resize);
    const refusal = placement.type === "refused" ? placement.reason : faultOf(placement, manifest, disk);
    if (placement.type === "refused" || refusal !== null) {
      await disk.close();
      return { refusal: refusal ?? "" };
    }
    if (options.resize === null) {
      return new RestoreTarget(path, { disk, placed: disk }, placement, { path: null, sizeBytes: 0 });
    }
    const memorySizeBytes = placement.segments
      .filter(({ place }) => place === "memory")
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    // In preboot this folder is memory; the file takes only what is written into it.
    const memoryPath = join(tmpdir(), `portolan-beyond-${randomUUID()}`);
    await writeFile(memoryPath, "");
    await truncate(memoryPath, memorySizeBytes);
    const placed = new PlacedDisk(placement.segments, disk, await openDisk(memoryPath, "write"));
    const memory = { path: memoryPath, sizeBytes: memorySizeBytes };
    return new RestoreTarget(path, { disk, placed }, placement, memory);
  }

  /** Whether a partition will change its size, for progress. */
  get isResized(): boolean {
    return this.#placement.resize !== null;
  }

  /** Fits the file system to its partition. Every chunk is written and proven. */
  async resize(): Promise<void> {
    const { resize } = this.#placement;
    if (resize === null) {
      return;
    }
    await this.placed.flush();
    const { place } = resize;
    const loop = await attachLoop(this.path, { ...place, isReadOnly: false });
    try {
      await (resize.change === "grow"
        ? growFileSystem(loop.path, resize.fileSystem)
        : this.#shrink(loop, resize));
    } finally {
      await loop.detach();
    }
    await this.disk.flush();
  }

  async #shrink(head: LoopDevice, resize: PlacedResize & { readonly change: "shrink" }): Promise<void> {
    const { sizeBytes } = resize.place;
    const tailSizeBytes = resize.oldSizeBytes - sizeBytes;
    const tail = await attachLoop(this.#memoryPath ?? "", {
      startBytes: 0,
      sizeBytes: tailSizeBytes,
      isReadOnly: false,
    });
    try {
      const joined = await joinDevices(`portolan-${randomUUID().slice(0, 8)}`, [
        { path: head.path, sizeBytes },
        { path: tail.path, sizeBytes: tailSizeBytes },
      ]);
      try {
        await shrinkFileSystem(joined.path, resize.fileSystem, sizeBytes);
      } finally {
        await joined.detach();
      }
    } finally {
      await tail.detach();
    }
  }

  /** A partition of the image where it is now. */
  locate(
    number: number,
    manifest: Manifest,
  ): { readonly startBytes: number; readonly sizeBytes: number } | null {
    return (
      this.#placement.partitions.find((place) => place.number === number) ??
      manifest.layout?.partitions.find((partition) => partition.number === number) ??
      null
    );
  }

  /** The image's partition table as this disk needs it. */
  finalTable(first: Uint8Array, manifest: Manifest, options: RestoreOptions): FinalTable {
    const { layout } = manifest;
    if ((options.resize === null && !options.hasNewIds) || layout === undefined) {
      return { first, backup: null };
    }
    const ids = options.hasNewIds
      ? {
          disk: randomUUID(),
          partitions: new Map(layout.partitions.map(({ number }) => [number, randomUUID()])),
        }
      : null;
    const change = {
      diskSizeBytes: this.disk.sizeBytes,
      sectorSizeBytes: layout.sectorSizeBytes,
      partitions: this.#placement.partitions,
      ids,
    };
    return layout.tableType === "gpt" ? rewriteGpt(first, change) : rewriteMbr(first, change);
  }

  async close(): Promise<void> {
    await (this.placed === this.disk ? this.disk.close() : this.placed.close());
    if (this.#memoryPath !== null && this.#memorySizeBytes >= 0) {
      await rm(this.#memoryPath, { force: true });
    }
  }
}

function faultOf({ segments }: Placed, manifest: Manifest, disk: Disk): string | null {
  const neededBytes = memoryNeeded(segments, manifest.chunks, manifest.chunkSizeBytes);
  if (neededBytes > freemem() * memoryShareMax) {
    const needed = Math.ceil(neededBytes / 1e6);
    return `shrinking needs ${needed} MB of memory for what lies beyond the new end, and this computer has less; choose a larger disk, or defragment before capture`;
  }
  const endBytes = Math.max(
    ...segments
      .filter(({ place }) => place === "disk")
      .map((segment) => segment.placeStartBytes + segment.sizeBytes),
  );
  if (endBytes > disk.sizeBytes) {
    const [needed, has] = [endBytes, disk.sizeBytes].map((sizeBytes) => (sizeBytes / 1e9).toFixed(1));
    return `the image needs ${needed} GB and the disk has ${has} GB; fit a partition to it with --resize`;
  }
  return null;
}
