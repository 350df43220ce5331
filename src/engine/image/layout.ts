import { type FileSystemName, fileSystemNames } from "#wire/filesystem/detect-file-system.ts";

export type ImagePartition = {
  readonly number: number;
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** GUID of a GPT entry, or two hexadecimal digits of an MBR one. */
  readonly typeId: string;
  readonly name: string;
  readonly fileSystem: FileSystemName;
  /** `used`: only blocks in use; `all`: every block; `head`: what makes it recognisable (swap). */
  readonly taken: "used" | "all" | "head";
  /** Bytes in use, where the file system says so. */
  readonly usedBytes: number | null;
  /** For people: what could not be done, or was found in the way. */
  readonly note: string | null;
};

/** What was on the disk that an image was made from. */
export type ImageLayout = {
  readonly tableType: "gpt" | "mbr" | "none";
  readonly sectorSizeBytes: number;
  readonly partitions: readonly ImagePartition[];
};

const partitionCountMax = 256;

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isText(value: unknown, lengthMax: number): value is string {
  return typeof value === "string" && value.length <= lengthMax;
}

function decodePartition(raw: unknown): ImagePartition | null {
  if (typeof raw !== "object" || raw === null) {
    return null;
  }
  const { number, startBytes, sizeBytes, typeId, name, fileSystem, taken, usedBytes, note } = raw as Record<
    string,
    unknown
  >;
  const knownFileSystem = fileSystemNames.find((known) => known === fileSystem);
  const knownTaken = (["used", "all", "head"] as const).find((known) => known === taken);
  const isFit =
    isSize(number) &&
    isSize(startBytes) &&
    isSize(sizeBytes) &&
    isText(typeId, 36) &&
    isText(name, 128) &&
    knownFileSystem !== undefined &&
    knownTaken !== undefined &&
    (usedBytes === null || isSize(usedBytes)) &&
    (note === null || isText(note, 1024));
  return isFit
    ? {
        number,
        startBytes,
        sizeBytes,
        typeId,
        name,
        fileSystem: knownFileSystem,
        taken: knownTaken,
        usedBytes,
        note,
      }
    : null;
}

/** A copy with known fields in one order; `null` when it is not a layout. */
export function decodeLayout(raw: unknown): ImageLayout | null {
  if (typeof raw !== "object" || raw === null) {
    return null;
  }
  const { tableType, sectorSizeBytes, partitions } = raw as Record<string, unknown>;
  const knownType = (["gpt", "mbr", "none"] as const).find((known) => known === tableType);
  if (
    knownType === undefined ||
    (sectorSizeBytes !== 512 && sectorSizeBytes !== 4096) ||
    !Array.isArray(partitions) ||
    partitions.length > partitionCountMax
  ) {
    return null;
  }
  const decoded = (partitions as unknown[]).map(decodePartition);
  return decoded.some((partition) => partition === null)
    ? null
    : {
        tableType: knownType,
        sectorSizeBytes,
        partitions: decoded.filter((partition) => partition !== null),
      };
}
