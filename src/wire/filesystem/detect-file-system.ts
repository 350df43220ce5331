/** What a partition holds, by its own marks. `unknown`: nothing we know, or nothing at all. */
export const fileSystemNames = [
  "ext",
  "xfs",
  "btrfs",
  "f2fs",
  "fat",
  "exfat",
  "ntfs",
  "hfs+",
  "apfs",
  "swap",
  "luks",
  "lvm",
  "md",
  "bitlocker",
  "unknown",
] as const;
export type FileSystemName = (typeof fileSystemNames)[number];

/** Enough of the beginning of a partition to tell: btrfs has its superblock at 64 KiB. */
export const detectionSizeBytes = 68 << 10;

type Mark = { readonly name: FileSystemName; readonly offset: number; readonly bytes: string };

/** In this order: an encrypted or managed volume may still hold marks of what it was before. */
const marks: readonly Mark[] = [
  { name: "luks", offset: 0, bytes: "LUKS\xba\xbe" },
  { name: "lvm", offset: 536, bytes: "LVM2 001" },
  { name: "md", offset: 4096, bytes: "\xfc\x4e\x2b\xa9" },
  { name: "bitlocker", offset: 3, bytes: "-FVE-FS-" },
  { name: "ntfs", offset: 3, bytes: "NTFS    " },
  { name: "exfat", offset: 3, bytes: "EXFAT   " },
  { name: "xfs", offset: 0, bytes: "XFSB" },
  { name: "btrfs", offset: 65_600, bytes: "_BHRfS_M" },
  { name: "f2fs", offset: 1024, bytes: "\x10\x20\xf5\xf2" },
  { name: "hfs+", offset: 1024, bytes: "H+" },
  { name: "hfs+", offset: 1024, bytes: "HX" },
  { name: "apfs", offset: 32, bytes: "NXSB" },
  { name: "swap", offset: 4086, bytes: "SWAPSPACE2" },
  { name: "swap", offset: 4086, bytes: "S1SUSPEND" },
  { name: "ext", offset: 1080, bytes: "\x53\xef" },
  { name: "fat", offset: 54, bytes: "FAT" },
  { name: "fat", offset: 82, bytes: "FAT32" },
];

function has(start: Uint8Array, { offset, bytes }: Mark): boolean {
  return Array.from(bytes).every((letter, index) => start[offset + index] === letter.charCodeAt(0));
}

/** @param start the first `detectionSizeBytes` of a partition, or all of a smaller one */
export function detectFileSystem(start: Uint8Array): FileSystemName {
  return marks.find((mark) => has(start, mark))?.name ?? "unknown";
}

/** A swap area that a Linux system has put its memory into, to go on from there. */
export function isHibernatedSwap(start: Uint8Array): boolean {
  return has(start, { name: "swap", offset: 4086, bytes: "S1SUSPEND" });
}
