import { existsSync, readdirSync, readFileSync } from "node:fs";
import { attachLoop } from "#platform/loop-device.ts";
import type { DiskPartitions } from "#platform/partition-reader.ts";
import { runProgram } from "#platform/run-program.ts";
import type { FileSystemName } from "#wire/filesystem/detect-file-system.ts";
import type { ByteRange } from "./byte-range.ts";

export type CheckedPartition = ByteRange & {
  readonly number: number;
  readonly typeId: string;
  readonly fileSystem: FileSystemName;
  readonly isHibernatedSwap: boolean;
};

/** Logical Disk Manager: Windows keeps several volumes in one partition. */
const dynamicDiskTypes: ReadonlySet<string> = new Set([
  "42",
  "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3",
  "af9b60a0-1431-4f62-bc68-3311714a69ad",
]);

/** What `ntfs-3g.probe --readwrite` ends with. ntfs-3g.probe(8) */
const ntfsObstacles: Readonly<Record<number, string>> = {
  13: "its NTFS is damaged; let Windows check it (chkdsk /f)",
  14: "Windows is hibernated on it (or Fast Startup is on); switch off with: shutdown /s /f /t 0",
  15: "its NTFS was not closed in order; start Windows, then switch off with: shutdown /s /f /t 0",
};

async function checkNtfs(diskPath: string, partition: ByteRange): Promise<string | null> {
  const loop = await attachLoop(diskPath, { ...partition, isReadOnly: true });
  try {
    const outcome = await runProgram({
      program: "ntfs-3g.probe",
      args: ["--readwrite", loop.path],
      timeoutMs: 60_000,
      outputBytesMax: 1000,
    });
    return outcome.type === "exited" ? (ntfsObstacles[outcome.exitCode] ?? null) : null;
  } finally {
    await loop.detach();
  }
}

/**
 * Device names of a disk and its partitions that something uses now, and what.
 *
 * @param root folder that holds /sys and /proc
 */
export function findUsers(diskName: string, root = ""): string[] {
  const users: string[] = [];
  const folder = `${root}/sys/class/block/${diskName}`;
  const names = existsSync(folder)
    ? [diskName, ...readdirSync(folder).filter((name) => existsSync(`${folder}/${name}/partition`))]
    : [diskName];
  const mounts = readFileSync(`${root}/proc/self/mounts`, "utf8");
  const swaps = existsSync(`${root}/proc/swaps`) ? readFileSync(`${root}/proc/swaps`, "utf8") : "";
  for (const name of names) {
    if (mounts.includes(`/dev/${name} `)) {
      users.push(`${name} is mounted`);
    }
    if (swaps.includes(`/dev/${name} `)) {
      users.push(`${name} is in use as swap`);
    }
    const holders = `${root}/sys/class/block/${name}/holders`;
    for (const holder of existsSync(holders) ? readdirSync(holders) : []) {
      users.push(`${name} is in use by ${holder} (LVM, RAID or encryption); deactivate it`);
    }
  }
  return users;
}

/** What stands in the way of a faithful image, each as a sentence with the way out. */
export async function findObstacles(
  diskPath: string,
  table: DiskPartitions,
  partitions: readonly CheckedPartition[],
): Promise<string[]> {
  const obstacles = findUsers(diskPath.replace(/^.*\//, ""));
  if (table.problem !== null) {
    obstacles.push(`${table.problem}; repair it with: sgdisk --verify, then sgdisk -e`);
  }
  for (const partition of partitions) {
    const name = `partition ${partition.number}`;
    if (partition.fileSystem === "bitlocker") {
      obstacles.push(`${name} is encrypted by BitLocker; decrypt it with: manage-bde -off`);
    }
    if (dynamicDiskTypes.has(partition.typeId)) {
      obstacles.push(`${name} belongs to a Windows dynamic disk, which cannot be taken apart`);
    }
    if (partition.isHibernatedSwap) {
      obstacles.push(`${name} holds the memory of a hibernated Linux; start it and switch it off`);
    }
    const ntfs = partition.fileSystem === "ntfs" ? await checkNtfs(diskPath, partition) : null;
    if (ntfs !== null) {
      obstacles.push(`${name}: ${ntfs}`);
    }
  }
  return obstacles;
}
