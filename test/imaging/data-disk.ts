import { hash, randomBytes } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ImagingSite, run, runWithInput } from "./imaging-site.ts";

export type DataPartition = {
  readonly number: number;
  readonly fileSystem: "ext4" | "xfs" | "btrfs" | "ntfs";
  readonly startMib: number;
  readonly sizeMib: number;
};

export type DataDisk = { readonly device: string; readonly partitions: readonly DataPartition[] };

const makers: Readonly<Record<DataPartition["fileSystem"], readonly string[]>> = {
  ext4: ["mkfs.ext4", "-q", "-F"],
  xfs: ["mkfs.xfs", "-q", "-f"],
  btrfs: ["mkfs.btrfs", "-q", "-f", "-m", "single"],
  ntfs: ["mkfs.ntfs", "-Q", "-q", "-F"],
};

/** Runs `work` with a part of a device mounted. */
export function withMounted<Result>(
  device: string,
  { fileSystem, startMib, sizeMib }: DataPartition,
  work: (folder: string) => Result,
): Result {
  const loop = run(
    ...(["losetup", "--find", "--show"] as const),
    ...["--offset", String(startMib << 20), "--sizelimit", String(sizeMib << 20), device],
  ).trim();
  const folder = mkdtempSync(join(tmpdir(), "portolan-mount-"));
  try {
    if (fileSystem === "ntfs") {
      run("ntfs-3g", loop, folder);
    } else {
      const options = fileSystem === "xfs" ? ["-o", "nouuid"] : [];
      run("mount", "-t", fileSystem, ...options, loop, folder);
    }
    try {
      return work(folder);
    } finally {
      run("umount", folder);
    }
  } finally {
    run("losetup", "--detach", loop);
    rmSync(folder, { recursive: true });
  }
}

function fill(folder: string): void {
  for (let index = 0; index < 40; index += 1) {
    const sub = join(folder, `folder ${index % 5}`);
    mkdirSync(sub, { recursive: true });
    writeFileSync(join(sub, `file ${index}`), randomBytes(50_000 + index * 7001));
  }
  // What was deleted is not part of an image.
  writeFileSync(join(folder, "deleted"), randomBytes(8 << 20));
  run("sync", "-f", join(folder, "deleted"));
  rmSync(join(folder, "deleted"));
}

/** GPT with ext4, xfs, NTFS and btrfs, the last one to the end of the disk. */
export function makeDataDisk(site: ImagingSite, path: string, sizeMib: number): DataDisk {
  const partitions: DataPartition[] = [
    { number: 1, fileSystem: "ext4", startMib: 1, sizeMib: 120 },
    { number: 2, fileSystem: "xfs", startMib: 121, sizeMib: 320 },
    { number: 3, fileSystem: "ntfs", startMib: 441, sizeMib: 150 },
    { number: 4, fileSystem: "btrfs", startMib: 591, sizeMib: sizeMib - 592 },
  ];
  writeFileSync(path, "");
  truncateSync(path, sizeMib << 20);
  const lines = partitions.map(({ startMib, sizeMib: size }) => `start=${startMib}MiB, size=${size}MiB`);
  runWithInput(`label: gpt\n${lines.join("\n")}\n`, "sfdisk", "-q", path);
  const device = site.attach(path);
  for (const partition of partitions) {
    const loop = run(
      ...(["losetup", "--find", "--show"] as const),
      ...[
        "--offset",
        String(partition.startMib << 20),
        "--sizelimit",
        String(partition.sizeMib << 20),
        device,
      ],
    ).trim();
    try {
      const [program = "", ...args] = makers[partition.fileSystem];
      run(program, ...args, loop);
    } finally {
      run("losetup", "--detach", loop);
    }
    withMounted(device, partition, fill);
  }
  return { device, partitions };
}

/** SHA-256 of every file, by partition and path. */
export function hashFiles({ device, partitions }: DataDisk): Record<string, string> {
  const hashes: Record<string, string> = {};
  for (const partition of partitions) {
    withMounted(device, partition, (folder) => {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (entry.isFile()) {
          const path = join(entry.parentPath, entry.name);
          hashes[`${partition.number}:${path.slice(folder.length)}`] = hash("sha256", readFileSync(path));
        }
      }
    });
  }
  return hashes;
}
