import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { BootBuildError } from "./kernel-package.ts";

/** Programs that tasks run in preboot, and the Debian package that has them. */
export const imagingPrograms: Readonly<Record<string, readonly string[]>> = {
  partclone: [
    "partclone.extfs",
    "partclone.xfs",
    "partclone.btrfs",
    "partclone.f2fs",
    "partclone.fat",
    "partclone.exfat",
    "partclone.ntfs",
    "partclone.hfsp",
    "partclone.apfs",
  ],
  e2fsprogs: ["e2fsck", "resize2fs"],
  xfsprogs: ["xfs_growfs"],
  "btrfs-progs": ["btrfs"],
  "ntfs-3g": ["ntfsresize", "ntfs-3g.probe", "ntfs-3g"],
  dmsetup: ["dmsetup"],
  // Busybox's own knows no size limit.
  mount: ["losetup"],
  efibootmgr: ["efibootmgr"],
  // Not for imaging: starts a distribution's own installer.
  "kexec-tools": ["kexec"],
};

const folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Where each program is. @throws BootBuildError naming the packages to install */
export function findImagingPrograms(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const missing = new Set<string>();
  for (const [packageName, programs] of Object.entries(imagingPrograms)) {
    for (const program of programs) {
      const folder = folders.find((candidate) => existsSync(join(candidate, program)));
      if (folder === undefined) {
        missing.add(packageName);
      } else {
        found.set(program, realpathSync(join(folder, program)));
      }
    }
  }
  if (missing.size > 0) {
    throw new BootBuildError(
      `programs for preboot are missing; install: apt-get install ${[...missing].join(" ")}`,
    );
  }
  return found;
}
