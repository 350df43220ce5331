import type { Segment } from "#engine/image/place-image.ts";
import type { Disk } from "#platform/disk.ts";

type Piece = { readonly disk: Disk; readonly offset: number; readonly from: number; readonly to: number };

/** The image's disk as it lies on the target: offsets are those of the image. */
export class PlacedDisk implements Disk {
  readonly sizeBytes: number;
  readonly #segments: readonly Segment[];
  readonly #disk: Disk;
  readonly #memory: Disk | null;

  constructor(segments: readonly Segment[], disk: Disk, memory: Disk | null) {
    this.#segments = segments;
    this.#disk = disk;
    this.#memory = memory;
    this.sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  async read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    const pieces = this.#pieces(offset, length);
    const [first] = pieces;
    if (first !== undefined && pieces.length === 1) {
      return first.disk.read(first.offset, length, into);
    }
    const bytes = new Uint8Array(length);
    for (const piece of pieces) {
      bytes.set(await piece.disk.read(piece.offset, piece.to - piece.from), piece.from);
    }
    return bytes;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    for (const piece of this.#pieces(offset, bytes.byteLength)) {
      await piece.disk.write(piece.offset, bytes.subarray(piece.from, piece.to));
    }
  }

  async flush(): Promise<void> {
    await this.#disk.flush();
  }

  async forgetCached(): Promise<void> {
    // What is in memory for good has no medium behind it.
    await this.#disk.forgetCached();
  }

  async close(): Promise<void> {
    await this.#memory?.close();
    await this.#disk.close();
  }

  #pieces(offset: number, length: number): Piece[] {
    const pieces: Piece[] = [];
    for (const { imageStartBytes, sizeBytes, place, placeStartBytes } of this.#segments) {
      const start = Math.max(offset, imageStartBytes);
      const end = Math.min(offset + length, imageStartBytes + sizeBytes);
      if (end > start) {
        const disk = place === "disk" ? this.#disk : this.#memory;
        if (disk === null) {
          throw new Error("the image has parts that were given no place");
        }
        pieces.push({
          disk,
          offset: placeStartBytes + start - imageStartBytes,
          from: start - offset,
          to: end - offset,
        });
      }
    }
    return pieces;
  }
}
