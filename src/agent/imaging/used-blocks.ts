import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attachLoop } from "#platform/loop-device.ts";
import { runProgram } from "#platform/run-program.ts";
import type { FileSystemName } from "#wire/filesystem/detect-file-system.ts";
import type { ByteRange } from "./byte-range.ts";

/** partclone knows which blocks of a file system are in use; there is one program for each. */
const partcloneNames: Partial<Record<FileSystemName, string>> = {
  ext: "partclone.extfs",
  xfs: "partclone.xfs",
  btrfs: "partclone.btrfs",
  f2fs: "partclone.f2fs",
  fat: "partclone.fat",
  exfat: "partclone.exfat",
  ntfs: "partclone.ntfs",
  "hfs+": "partclone.hfsp",
  apfs: "partclone.apfs",
};

const mapTimeoutMs = 30 * 60_000;

export type UsedBlocks =
  | { readonly type: "map"; readonly ranges: readonly ByteRange[] }
  /** Every block has to be taken, and why. */
  | { readonly type: "unknown"; readonly reason: string };

/** Ranges in use, from the start of the partition. What the map does not reach counts as used. */
export function parseDomainMap(text: string, sizeBytes: number): ByteRange[] {
  const ranges: ByteRange[] = [];
  let endBytes = 0;
  for (const [, start, size, status] of text.matchAll(/^0x([0-9A-F]+)\s+0x([0-9A-F]+)\s+([+?])$/gim)) {
    const range = {
      startBytes: Number.parseInt(start ?? "0", 16),
      sizeBytes: Number.parseInt(size ?? "0", 16),
    };
    if (status === "+") {
      ranges.push(range);
    }
    endBytes = Math.max(endBytes, range.startBytes + range.sizeBytes);
  }
  if (endBytes < sizeBytes) {
    // NTFS keeps a copy of its first sector behind its last cluster.
    ranges.push({ startBytes: endBytes, sizeBytes: sizeBytes - endBytes });
  }
  return ranges;
}

/** Asks partclone for the blocks in use of one partition. Nothing is written to the disk. */
export async function readUsedBlocks(
  diskPath: string,
  partition: ByteRange & { readonly fileSystem: FileSystemName },
  signal: AbortSignal,
): Promise<UsedBlocks> {
  const { fileSystem, startBytes, sizeBytes } = partition;
  const program = partcloneNames[fileSystem];
  if (program === undefined) {
    return { type: "unknown", reason: `${fileSystem}: its blocks in use are not known, so all are taken` };
  }
  const loop = await attachLoop(diskPath, { startBytes, sizeBytes, isReadOnly: true });
  const folder = await mkdtemp(join(tmpdir(), "portolan-map-"));
  try {
    const mapPath = join(folder, "map");
    const outcome = await runProgram({
      program,
      args: ["-D", "-s", loop.path, "-o", mapPath, "-L", join(folder, "log"), "-q", "-F"],
      timeoutMs: mapTimeoutMs,
      outputBytesMax: 2000,
      signal,
    });
    if (outcome.type !== "exited" || outcome.exitCode !== 0) {
      const why =
        outcome.type === "not-started"
          ? outcome.reason
          : (outcome.output.trim().split("\n").at(-2) ?? "").trim();
      return { type: "unknown", reason: `${program} gave no map (${why}), so all blocks are taken` };
    }
    return { type: "map", ranges: parseDomainMap(await readFile(mapPath, "utf8"), sizeBytes) };
  } finally {
    await loop.detach();
    await rm(folder, { recursive: true, force: true });
  }
}
