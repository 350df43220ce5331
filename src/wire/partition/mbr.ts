import { WireError } from "../bytes/wire-error.ts";

/*
 * First sector of a disk: boot code, then at 440 the disk signature, at 446 four entries of 16 bytes, at 510 0x55aa.
 * An extended partition holds a chain of such sectors: one logical partition and the way to the next.
 */
export const mbrOffsets = { diskSignature: 440, entries: 446, entrySize: 16, mark: 510 } as const;
export const mbrEntryOffsets = { type: 4, firstSector: 8, sectorCount: 12 } as const;

export type MbrEntry = {
  /** From 1; logical partitions begin at 5. */
  readonly number: number;
  readonly typeByte: number;
  readonly firstSector: number;
  readonly sectorCount: number;
};

const extendedTypes: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);
export const protectiveType = 0xee;

export function isExtended(entry: MbrEntry): boolean {
  return extendedTypes.has(entry.typeByte);
}

export function isMbr(sector: Uint8Array): boolean {
  return sector[mbrOffsets.mark] === 0x55 && sector[mbrOffsets.mark + 1] === 0xaa;
}

/** The four entries of one such sector that are in use. @throws WireError `truncated` | `bad-value` */
export function decodeMbr(sector: Uint8Array): readonly MbrEntry[] {
  if (sector.byteLength < 512) {
    throw new WireError({ code: "truncated", field: "MBR", offset: sector.byteLength });
  }
  if (!isMbr(sector)) {
    throw new WireError({ code: "bad-value", field: "MBR mark", offset: mbrOffsets.mark });
  }
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  return [0, 1, 2, 3]
    .map((index) => {
      const at = mbrOffsets.entries + index * mbrOffsets.entrySize;
      return {
        number: index + 1,
        typeByte: view.getUint8(at + mbrEntryOffsets.type),
        firstSector: view.getUint32(at + mbrEntryOffsets.firstSector, true),
        sectorCount: view.getUint32(at + mbrEntryOffsets.sectorCount, true),
      };
    })
    .filter((entry) => entry.typeByte !== 0 && entry.sectorCount > 0);
}
