import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "#platform/run-program.ts";
import type { GrowableFileSystem, ShrinkableFileSystem } from "#engine/image/place-image.ts";

/** A program of a file system did not do its work. */
class ResizeError extends Error {}

const timeoutMs = 60 * 60_000;

async function must(
  program: string,
  args: readonly string[],
  doneCodes: readonly number[] = [0],
): Promise<void> {
  const outcome = await runProgram({ program, args, timeoutMs, outputBytesMax: 1500 });
  if (outcome.type === "exited" && doneCodes.includes(outcome.exitCode)) {
    return;
  }
  const why =
    outcome.type === "not-started" ? outcome.reason : outcome.output.trim().replaceAll(/\s*\n\s*/g, "; ");
  throw new ResizeError(`${program} failed: ${why}`);
}

/** Runs `work` with the file system of a device mounted, and always unmounts it. */
export async function withMounted<Result>(
  device: string,
  fileSystem: "ext4" | "xfs" | "btrfs" | "ntfs" | "vfat",
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "portolan-mount-"));
  // A copy of a file system has the identity of the original, which XFS would otherwise not mount beside it.
  const options = fileSystem === "xfs" ? ["-o", "nouuid"] : [];
  try {
    // The distribution's kernel has no NTFS that writes; this one runs as a program.
    await (fileSystem === "ntfs"
      ? must("ntfs-3g", [device, folder])
      : must("mount", ["-t", fileSystem, ...options, device, folder]));
    try {
      return await work(folder);
    } finally {
      await must("umount", [folder]);
    }
  } finally {
    await rmdir(folder);
  }
}

/** Lets the file system on a device fill it. @throws Error with the program's words */
export async function growFileSystem(device: string, fileSystem: GrowableFileSystem): Promise<void> {
  switch (fileSystem) {
    case "ext":
      // 1: faults were mended.
      await must("e2fsck", ["-f", "-y", device], [0, 1]);
      await must("resize2fs", [device]);
      return;
    case "xfs":
      await withMounted(device, "xfs", (folder) => must("xfs_growfs", [folder]));
      return;
    case "btrfs":
      await withMounted(device, "btrfs", (folder) => must("btrfs", ["filesystem", "resize", "max", folder]));
      return;
    case "ntfs":
      await must("ntfsresize", ["--force", "--force", "--no-progress-bar", device]);
  }
}

/** Moves everything of the file system on a device below a size. @throws Error with the program's words */
export async function shrinkFileSystem(
  device: string,
  fileSystem: ShrinkableFileSystem,
  sizeBytes: number,
): Promise<void> {
  switch (fileSystem) {
    case "ext":
      await must("e2fsck", ["-f", "-y", device], [0, 1]);
      await must("resize2fs", [device, `${Math.floor(sizeBytes / 1024)}K`]);
      return;
    case "btrfs":
      await withMounted(device, "btrfs", (folder) =>
        must("btrfs", ["filesystem", "resize", String(sizeBytes), folder]),
      );
      return;
    case "ntfs":
      await must("ntfsresize", [
        ...["--force", "--force", "--no-progress-bar", "--size", String(sizeBytes), device],
      ]);
  }
}
