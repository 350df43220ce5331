import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./run-program.ts";

export type DebianDiskOptions = {
  readonly cacheDir: string;
  readonly nodePath: string;
  readonly onStep: (text: string) => void;
};

const sectorBytes = 512;
const mib = 1 << 20;
/** GPT layout in MiB: BIOS boot partition, EFI system partition, root. */
const layout = { biosFrom: 1, espFrom: 2, espSize: 32, rootFrom: 34, diskSize: 1400 } as const;
const rootSizeMib = layout.diskSize - layout.rootFrom - 1;

const packages = [
  ...["linux-image-cloud-amd64", "systemd", "systemd-sysv", "usr-is-merged", "udev", "dbus", "iproute2"],
  ...["libatomic1", "libstdc++6", "kmod", "util-linux", "e2fsprogs", "openssh-server"],
] as const;

/**
 * What no virtual computer here uses. Three emulated processors write, hash and unpack everything on the disk, so each
 * megabyte is waited for.
 */
const leftOut = [
  ...["doc", "man", "locale", "i18n"].map((name) => `/usr/share/${name}/*`),
  ...["drivers/comedi", "drivers/hid", "drivers/infiniband", "drivers/md", "drivers/target", "arch/x86/kvm"],
  ...["drivers/net/ethernet", "drivers/scsi", "fs/btrfs", "fs/ceph", "fs/nfs", "fs/nfsd", "fs/smb", "fs/xfs"],
  ...[
    "net/bridge",
    "net/ceph",
    "net/dccp",
    "net/netfilter",
    "net/rds",
    "net/sched",
    "net/sctp",
    "net/sunrpc",
  ],
  ...["net/smc", "net/tipc"],
].map((path) => (path.startsWith("/") ? path : `/lib/modules/*/kernel/${path}/*`));

/** The initramfs finds the disk with these; by default it holds the drivers of every disk there is. */
const initramfsModules = ["virtio_pci", "virtio_blk", "ext4"] as const;

const unit = `[Unit]
Description=Portolan agent
After=systemd-networkd.service
Wants=systemd-networkd.service
ConditionPathExists=/opt/portolan/agent.mjs

[Service]
ExecStart=/usr/local/bin/node --disable-warning=ExperimentalWarning /opt/portolan/agent.mjs run --environment os
Restart=always
RestartSec=2
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
`;

/** Nobody can come in until a host key is put on a copy of the disk. */
const sshCondition = `[Unit]
ConditionPathExists=/etc/ssh/ssh_host_ed25519_key
`;

const network = `[Match]
Type=ether

[Network]
DHCP=ipv4
LinkLocalAddressing=no

[DHCPv4]
ClientIdentifier=mac
`;

const grubConfig = `search --no-floppy --label portolan-root --set=root
linux /vmlinuz root=LABEL=portolan-root ro console=ttyS0 quiet mitigations=off no_timer_check net.ifnames=0
initrd /initrd.img
boot
`;

async function makeRootTree(folder: string, options: DebianDiskOptions): Promise<void> {
  await runProgram("mmdebstrap", [
    ...["--variant=essential", "--mode=root", "--format=directory", "--skip=check/qemu"],
    "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
    `--include=${packages.join(",")}`,
    ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    "--aptopt=APT::Install-Recommends false",
    ...["bookworm", folder],
  ]);
  for (const path of [
    ...["var/lib/apt/lists", "var/cache/apt", "usr/share/i18n", "var/log"],
    // Names of devices, and character sets nobody asks for.
    ...["usr/lib/udev/hwdb.d", "usr/lib/x86_64-linux-gnu/gconv"],
  ]) {
    await rm(join(folder, path), { recursive: true, force: true });
    await mkdir(join(folder, path), { recursive: true });
  }
  await rm(join(folder, "usr/lib/udev/hwdb.bin"), { force: true });
  await shrinkInitramfs(folder);
  await mkdir(join(folder, "opt/portolan"), { recursive: true });
  await copyFile(options.nodePath, join(folder, "usr/local/bin/node"));
  await runProgram("strip", ["--strip-unneeded", join(folder, "usr/local/bin/node")]);
  await mkdir(join(folder, "etc/portolan"), { recursive: true });
  await writeFile(join(folder, "etc/systemd/system/portolan-agent.service"), unit);
  await writeFile(join(folder, "etc/systemd/network/20-ether.network"), network);
  await writeFile(join(folder, "etc/fstab"), "LABEL=portolan-root / ext4 rw,noatime 0 1\n");
  await writeFile(join(folder, "etc/hostname"), "imaged\n");
  await writeFile(join(folder, "etc/machine-id"), "");
  const sshFolder = join(folder, "etc/ssh");
  for (const key of (await readdir(sshFolder)).filter((name) => name.startsWith("ssh_host_"))) {
    await rm(join(sshFolder, key));
  }
  await mkdir(join(folder, "etc/systemd/system/ssh.service.d"), { recursive: true });
  await writeFile(join(folder, "etc/systemd/system/ssh.service.d/lab.conf"), sshCondition);
  for (const name of ["portolan-agent", "systemd-networkd", "ssh"]) {
    await runProgram("systemctl", ["--root", folder, "enable", name]);
  }
  const slow = ["systemd-timesyncd", "systemd-networkd-wait-online", "apt-daily.timer"];
  for (const name of [
    ...slow,
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
  ]) {
    await runProgram("systemctl", ["--root", folder, "mask", name]);
  }
}

/** Loading and unpacking it is most of what an emulated computer does before systemd. */
async function shrinkInitramfs(folder: string): Promise<void> {
  const settings = join(folder, "etc/initramfs-tools");
  await writeFile(join(settings, "conf.d/portolan-lab"), "MODULES=list\n");
  await writeFile(join(settings, "modules"), `${initramfsModules.join("\n")}\n`);
  await runProgram("chroot", [folder, "update-initramfs", "-u", "-k", "all"]);
}

/** GRUB for BIOS: boot.img in the first sector finds core.img, which fills the BIOS boot partition. */
async function installBiosGrub(diskPath: string, work: string): Promise<void> {
  const folder = "/usr/lib/grub/i386-pc";
  const early = join(work, "early.cfg");
  await writeFile(early, grubConfig);
  const corePath = join(work, "core.img");
  const modules = ["biosdisk", "part_gpt", "ext2", "linux", "search", "search_label", "normal", "boot"];
  await runProgram("grub-mkimage", [
    "-O",
    "i386-pc",
    "-o",
    corePath,
    "-c",
    early,
    "-p",
    "/boot/grub",
    ...modules,
  ]);
  const core = await readFile(corePath);
  const boot = await readFile(join(folder, "boot.img"));
  const coreSector = (layout.biosFrom * mib) / sectorBytes;
  // Where boot.img keeps the sector of core.img, and where core.img's first sector keeps that of its rest.
  boot.writeBigUInt64LE(BigInt(coreSector), 0x5c);
  core.writeBigUInt64LE(BigInt(coreSector + 1), 0x1f4);
  const disk = await open(diskPath, "r+");
  try {
    // The first 440 bytes are code; after them stands the partition table that must stay.
    await disk.write(boot, 0, 440, 0);
    await disk.write(core, 0, core.byteLength, layout.biosFrom * mib);
  } finally {
    await disk.close();
  }
}

async function makeEsp(path: string, work: string): Promise<void> {
  const early = join(work, "early-efi.cfg");
  await writeFile(early, grubConfig);
  const program = join(work, "BOOTX64.EFI");
  const modules = [
    "part_gpt",
    "ext2",
    "fat",
    "linux",
    "search",
    "search_label",
    "normal",
    "boot",
    "efi_gop",
    "serial",
  ];
  await runProgram("grub-mkimage", [
    "-O",
    "x86_64-efi",
    "-o",
    program,
    "-c",
    early,
    "-p",
    "/boot/grub",
    ...modules,
  ]);
  await writeFile(path, "");
  await truncate(path, layout.espSize * mib);
  await runProgram("mkfs.vfat", ["-F", "16", "-n", "EFI", "-i", "504f5254", path]);
  await runProgram("mmd", ["-i", path, "::/EFI", "::/EFI/BOOT"]);
  await runProgram("mcopy", ["-i", path, program, "::/EFI/BOOT/BOOTX64.EFI"]);
}

async function copyInto(diskPath: string, partPath: string, offsetBytes: number): Promise<void> {
  await runProgram("dd", [
    ...[
      `if=${partPath}`,
      `of=${diskPath}`,
      "bs=1M",
      "conv=notrunc,sparse",
      `seek=${offsetBytes / mib}`,
      "status=none",
    ],
  ]);
}

async function makeDisk(diskPath: string, options: DebianDiskOptions): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "portolan-disk-"));
  try {
    options.onStep("installing Debian into a folder (about a minute)");
    const tree = join(work, "root");
    await makeRootTree(tree, options);
    options.onStep("making its file systems");
    const rootPath = join(work, "root.ext4");
    await writeFile(rootPath, "");
    await truncate(rootPath, rootSizeMib * mib);
    await runProgram("mke2fs", [
      ...["-q", "-t", "ext4", "-L", "portolan-root", "-m", "0", "-O", "^metadata_csum_seed,^orphan_file"],
      ...["-E", "lazy_itable_init=1,nodiscard,root_owner=0:0", "-d", tree, rootPath],
    ]);
    const espPath = join(work, "esp.fat");
    await makeEsp(espPath, work);
    await writeFile(diskPath, "");
    await truncate(diskPath, layout.diskSize * mib);
    const script = [
      "label: gpt",
      `start=${layout.biosFrom}MiB, size=1MiB, type=21686148-6449-6E6F-744E-656564454649`,
      `start=${layout.espFrom}MiB, size=${layout.espSize}MiB, type=U`,
      `start=${layout.rootFrom}MiB, size=${rootSizeMib}MiB, type=L`,
    ].join("\n");
    await runProgram("sfdisk", ["-q", diskPath], { input: `${script}\n` });
    await copyInto(diskPath, espPath, layout.espFrom * mib);
    await copyInto(diskPath, rootPath, layout.rootFrom * mib);
    await installBiosGrub(diskPath, work);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * A bootable Debian system with Node, as a raw disk that starts by BIOS and by UEFI. The agent is installed into copies
 * of it. Made once for each recipe (this file) and Node, then taken from the cache.
 */
export async function buildDebianDisk(options: DebianDiskOptions): Promise<string> {
  const nodeVersion = await runProgram(options.nodePath, ["--version"]);
  const recipe = await readFile(import.meta.filename);
  const key = createHash("sha256").update(recipe).update(nodeVersion).digest("hex");
  const name = `debian-${key.slice(0, 16)}.raw`;
  const path = join(options.cacheDir, name);
  if (existsSync(path)) {
    return path;
  }
  await mkdir(options.cacheDir, { recursive: true });
  for (const old of (await readdir(options.cacheDir)).filter((file) => file.startsWith("debian-"))) {
    await rm(join(options.cacheDir, old));
  }
  const unfinished = `${path}.unfinished`;
  await makeDisk(unfinished, options);
  await rename(unfinished, path);
  return path;
}

/** Its root file system, as e2fsprogs name a part of a file. */
export function rootFileSystemOf(diskPath: string): string {
  return `${diskPath}?offset=${layout.rootFrom * mib}`;
}
