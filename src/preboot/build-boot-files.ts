import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { BootManifest } from "./boot-manifest.ts";
import { driverModules } from "./driver-modules.ts";
import { BootBuildError, fetchKernelPackage, type KernelPackage } from "./kernel-package.ts";
import { findImagingPrograms } from "./imaging-programs.ts";
import { closeModules, parseModulesDep } from "./module-closure.ts";

const run = promisify(execFile);

export type BootBuildOptions = {
  /** Where the files and `manifest.json` go; served from there. */
  readonly outDir: string;
  readonly cacheDir: string;
  readonly agentBundlePath: string;
  /** The Node that runs the agent in preboot. */
  readonly nodePath: string;
  /** Written into the initramfs; it then refuses any other site. `null`: only the command line says. */
  readonly siteKeyFingerprint: string | null;
  /** Further kernel modules by name. */
  readonly extraModules: readonly string[];
  readonly onStep: (text: string) => void;
};

/** Loaders and where Debian's packages put them. */
const loaders = [
  {
    name: "undionly.kpxe",
    from: "/usr/lib/ipxe/undionly.kpxe",
    purpose: "iPXE for BIOS, over the card's own driver",
  },
  { name: "ipxe.pxe", from: "/usr/lib/ipxe/ipxe.pxe", purpose: "iPXE for BIOS, with its own drivers" },
  {
    name: "snponly.efi",
    from: "/usr/lib/ipxe/snponly.efi",
    purpose: "iPXE for UEFI, over the firmware's driver",
  },
  { name: "ipxe.efi", from: "/usr/lib/ipxe/ipxe.efi", purpose: "iPXE for UEFI, with its own drivers" },
  {
    name: "shimx64.efi",
    from: "/usr/lib/shim/shimx64.efi.signed",
    purpose: "Secure Boot: first stage, signed",
  },
  {
    name: "grubx64.efi",
    from: "/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
    purpose: "Secure Boot: second stage, signed, reads by TFTP and HTTP",
  },
] as const;

async function copyLoaders(outDir: string): Promise<void> {
  for (const loader of loaders) {
    await copyFile(loader.from, join(outDir, loader.name)).catch((error: unknown) => {
      throw new BootBuildError(
        `${loader.from} is missing; install: apt-get install ipxe shim-signed grub-efi-amd64-signed`,
        { cause: error },
      );
    });
  }
}

/** Program and the shared libraries it needs, at the same paths below `root`. */
async function copyWithLibraries(program: string, root: string, targetPath: string): Promise<void> {
  const { stdout } = await run("ldd", [program]);
  const libraries = [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
  for (const library of libraries) {
    const target = join(root, library);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(library, target);
    await chmod(target, 0o755);
  }
  const target = join(root, targetPath);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(program, target);
  await chmod(target, 0o755);
}

async function copyModules(
  kernel: KernelPackage,
  root: string,
  extra: readonly string[],
): Promise<readonly string[]> {
  const source = join(kernel.folder, "lib", "modules", kernel.version);
  await run("depmod", ["-b", kernel.folder, kernel.version]);
  const names = [...Object.values(driverModules).flat(), ...extra];
  const dependencies = parseModulesDep(await readFile(join(source, "modules.dep"), "utf8"));
  const { paths, absent } = closeModules(dependencies, names);
  const target = join(root, "lib", "modules", kernel.version);
  for (const path of paths) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await copyFile(join(source, path), join(target, path));
  }
  for (const file of ["modules.order", "modules.builtin", "modules.builtin.modinfo"]) {
    await copyFile(join(source, file), join(target, file));
  }
  await run("depmod", ["-b", root, kernel.version]);
  return absent;
}

/** Sorted names, one owner, one time: the same inputs give the same bytes. */
async function packInitramfs(root: string, outputPath: string, epochSeconds: number): Promise<void> {
  const script =
    'set -e; cd "$1"; find . -exec touch -h -d "@$3" {} +; ' +
    'find . -print0 | LC_ALL=C sort -z | cpio --null -o -H newc -R 0:0 --reproducible --quiet | zstd -q -15 -T1 -f -o "$2"';
  await run("/bin/sh", ["-c", script, "pack", root, outputPath, String(epochSeconds)]);
}

async function buildInitramfs(options: BootBuildOptions, kernel: KernelPackage, work: string): Promise<void> {
  const root = join(work, "initramfs");
  await mkdir(join(root, "bin"), { recursive: true });
  await copyFile("/bin/busybox", join(root, "bin", "busybox"));
  const own = join(dirname(fileURLToPath(import.meta.url)), "init");
  for (const name of ["init", "lease"]) {
    await copyFile(join(own, name), join(root, name));
    await chmod(join(root, name), 0o755);
  }
  await mkdir(join(root, "etc", "portolan"), { recursive: true });
  await writeFile(join(root, "etc", "portolan", "site-key"), options.siteKeyFingerprint ?? "");
  const absent = await copyModules(kernel, root, options.extraModules);
  if (absent.length > 0) {
    options.onStep(`not in this kernel as modules (built in, or absent): ${absent.join(" ")}`);
  }
  await packInitramfs(root, join(options.outDir, "initrd.img"), kernel.packagedAtSeconds);
}

async function buildSystem(options: BootBuildOptions, kernel: KernelPackage, work: string): Promise<void> {
  const root = join(work, "system");
  for (const folder of ["proc", "sys", "dev", "run", "tmp", "bin", "etc", "opt/portolan"]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await copyWithLibraries(options.nodePath, root, "/usr/bin/node");
  await run("strip", ["--strip-unneeded", join(root, "usr", "bin", "node")]);
  await copyFile(options.agentBundlePath, join(root, "opt", "portolan", "agent.mjs"));
  await copyFile("/bin/busybox", join(root, "bin", "busybox"));
  for (const [name, path] of findImagingPrograms()) {
    await copyWithLibraries(path, root, `/usr/sbin/${name}`);
  }
  for (const name of ["sh", "reboot", "poweroff", "sync", "mount", "umount", "blockdev", "cat", "ip"]) {
    await symlink("busybox", join(root, "bin", name));
  }
  await symlink("/run/resolv.conf", join(root, "etc", "resolv.conf"));
  const output = join(options.outDir, "preboot.squashfs");
  await rm(output, { force: true });
  const time = String(kernel.packagedAtSeconds);
  await run("mksquashfs", [
    ...[root, output, "-comp", "zstd", "-Xcompression-level", "15", "-b", "131072"],
    ...[
      "-all-root",
      "-all-time",
      time,
      "-mkfs-time",
      time,
      "-no-progress",
      "-quiet",
      "-noappend",
      "-no-xattrs",
    ],
  ]);
}

const purposes: Readonly<Record<string, string>> = {
  vmlinuz: "kernel, signed by the distribution",
  "initrd.img": "drivers and the first program",
  "preboot.squashfs": "Node and the agent",
};

/** What a build consists of, by file names. */
export const bootFilePurposes: Readonly<Record<string, string>> = {
  ...purposes,
  ...Object.fromEntries(loaders.map(({ name, purpose }) => [name, purpose])),
};

async function describe(
  outDir: string,
  name: string,
  purpose: string,
): Promise<BootManifest["files"][number]> {
  const path = join(outDir, name);
  const sha256 = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  return { name, sizeBytes: (await stat(path)).size, sha256, purpose };
}

/**
 * Makes everything network boot serves from the distribution's own packages. The manifest is replaced last, so a
 * build that was interrupted leaves the old files served as they were, or named as damaged.
 *
 * @throws BootBuildError naming the package or file that is missing
 */
export async function buildBootFiles(options: BootBuildOptions): Promise<BootManifest> {
  await mkdir(options.outDir, { recursive: true });
  await mkdir(options.cacheDir, { recursive: true });
  const work = await mkdtemp(join(tmpdir(), "portolan-boot-"));
  try {
    options.onStep("fetching the kernel");
    const kernel = await fetchKernelPackage(options.cacheDir);
    await copyLoaders(options.outDir);
    await copyFile(join(kernel.folder, "boot", `vmlinuz-${kernel.version}`), join(options.outDir, "vmlinuz"));
    options.onStep(`packing drivers of kernel ${kernel.version}`);
    await buildInitramfs(options, kernel, work);
    options.onStep("packing Node and the agent");
    await buildSystem(options, kernel, work);
    const files: BootManifest["files"][number][] = [];
    for (const [name, purpose] of Object.entries(bootFilePurposes)) {
      files.push(await describe(options.outDir, name, purpose));
    }
    const manifest: BootManifest = {
      builtAt: kernel.packagedAtSeconds * 1000,
      kernelVersion: kernel.version,
      files,
    };
    const path = join(options.outDir, "manifest.json");
    await writeFile(`${path}.new`, `${JSON.stringify(manifest, null, 2)}\n`);
    await rename(`${path}.new`, path);
    return manifest;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
