import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A build step failed for a reason the operator can mend. */
export class BootBuildError extends Error {
  readonly code = "boot-build";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BootBuildError";
  }
}

export type KernelPackage = {
  /** `6.1.0-56-amd64`. */
  readonly version: string;
  /** Folder with `boot/` and `lib/modules/`. */
  readonly folder: string;
  /** Epoch seconds of the package's files, for reproducible output. */
  readonly packagedAtSeconds: number;
};

async function newestKernelPackageName(): Promise<string> {
  const { stdout } = await run("apt-cache", ["depends", "linux-image-amd64"]).catch((error: unknown) => {
    throw new BootBuildError(
      "apt-cache does not know linux-image-amd64; run apt-get update as root and try again",
      {
        cause: error,
      },
    );
  });
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  if (name === undefined) {
    throw new BootBuildError("linux-image-amd64 names no kernel; run apt-get update as root and try again");
  }
  return name;
}

/** The distribution's newest kernel, downloaded and unpacked below `cacheDir`; nothing is installed. */
export async function fetchKernelPackage(cacheDir: string): Promise<KernelPackage> {
  const name = await newestKernelPackageName();
  const folder = join(cacheDir, name);
  if (!existsSync(join(folder, "lib"))) {
    const unpacking = `${folder}.unpacking`;
    await rm(unpacking, { recursive: true, force: true });
    await mkdir(unpacking, { recursive: true });
    await run("apt-get", ["download", name], { cwd: unpacking }).catch((error: unknown) => {
      throw new BootBuildError(
        `the Debian package ${name} could not be downloaded; run apt-get update and try again`,
        {
          cause: error,
        },
      );
    });
    const archive = (await readdir(unpacking)).find((file) => file.endsWith(".deb"));
    await run("dpkg-deb", ["-x", join(unpacking, archive ?? ""), unpacking]);
    await rm(join(unpacking, archive ?? ""));
    await rename(unpacking, folder);
  }
  const version = name.replace(/^linux-image-/, "").replace(/-unsigned$/, "");
  const { mtimeMs } = await stat(join(folder, "boot", `vmlinuz-${version}`));
  return { version, folder, packagedAtSeconds: Math.floor(mtimeMs / 1000) };
}
