import { randomBytes } from "node:crypto";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LabPartition, withPartition } from "./file-hashes.ts";
import { runProgram } from "./run-program.ts";

const makers: Readonly<Record<LabPartition["fileSystem"], readonly string[]>> = {
  ext4: ["mkfs.ext4", "-q", "-F"],
  xfs: ["mkfs.xfs", "-q", "-f"],
  btrfs: ["mkfs.btrfs", "-q", "-f", "-m", "single"],
  ntfs: ["mkfs.ntfs", "-Q", "-q", "-F"],
};

/** A disk without a system: four file systems with files of random content. Needs the machine's root. */
export async function buildDataDisk(
  diskPath: string,
  sizeMib: number,
  partitions: readonly LabPartition[],
): Promise<void> {
  await writeFile(diskPath, "");
  await truncate(diskPath, sizeMib << 20);
  const lines = partitions.map(({ startMib, sizeMib: size }) => `start=${startMib}MiB, size=${size}MiB`);
  await runProgram("sfdisk", ["-q", diskPath], { input: `label: gpt\n${lines.join("\n")}\n` });
  for (const partition of partitions) {
    const area = [
      "--offset",
      String(partition.startMib << 20),
      "--sizelimit",
      String(partition.sizeMib << 20),
    ];
    const loop = (await runProgram("losetup", ["--find", "--show", ...area, diskPath])).trim();
    try {
      const [program = "", ...args] = makers[partition.fileSystem];
      await runProgram(program, [...args, loop]);
    } finally {
      await runProgram("losetup", ["--detach", loop]);
    }
    await withPartition(diskPath, partition, async (folder) => {
      for (let index = 0; index < 60; index += 1) {
        const sub = join(folder, `folder ${index % 6}`);
        await mkdir(sub, { recursive: true });
        await writeFile(join(sub, `file ${index}`), randomBytes(40_000 + index * 5003));
      }
    });
  }
}
