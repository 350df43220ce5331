import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./run-program.ts";

export type LabPartition = {
  readonly startMib: number;
  readonly sizeMib: number;
  readonly fileSystem: "ext4" | "xfs" | "btrfs" | "ntfs";
};

/** Runs `work` with a partition of a disk file mounted. Needs the machine's root. */
export async function withPartition<Result>(
  diskPath: string,
  { startMib, sizeMib, fileSystem }: LabPartition,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const area = ["--offset", String(startMib << 20), "--sizelimit", String(sizeMib << 20)];
  const loop = (await runProgram("losetup", ["--find", "--show", ...area, diskPath])).trim();
  const folder = await mkdtemp(join(tmpdir(), "portolan-lab-mount-"));
  try {
    if (fileSystem === "ntfs") {
      await runProgram("ntfs-3g", [loop, folder]);
    } else {
      const options = fileSystem === "xfs" ? ["-o", "nouuid"] : [];
      await runProgram("mount", ["-t", fileSystem, ...options, loop, folder]);
    }
    try {
      return await work(folder);
    } finally {
      await runProgram("umount", [folder]);
    }
  } finally {
    await runProgram("losetup", ["--detach", loop]);
    await rmdir(folder);
  }
}

/** Files under a folder. Links are not followed: those of a whole system, as /dev/fd, lead out of it. */
async function listFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      files.push(...(await listFiles(path)));
    } else if (entry.isFile()) {
      files.push(path);
    }
  }
  return files;
}

/** SHA-256 of every file of a partition, by path. */
export function hashPartition(
  diskPath: string,
  partition: LabPartition,
): Promise<ReadonlyMap<string, string>> {
  return withPartition(diskPath, partition, async (folder) => {
    const hashes = new Map<string, string>();
    for (const path of await listFiles(folder)) {
      const content = await readFile(path);
      hashes.set(path.slice(folder.length), createHash("sha256").update(content).digest("hex"));
    }
    return hashes;
  });
}

/** Paths whose content differs, or that only one of both has. */
export function differences(
  wanted: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): readonly string[] {
  return [...new Set([...wanted.keys(), ...found.keys()])].filter(
    (path) => wanted.get(path) !== found.get(path),
  );
}
