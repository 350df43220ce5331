import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { findUsers } from "#agent/imaging/capture-check.ts";
import { surveyDisk } from "#agent/imaging/survey-disk.ts";
import { openDisk } from "#platform/disk.ts";
import { networkTestObstacle } from "../network-hosts.ts";
import { run, runWithInput } from "./imaging-site.ts";

const programs = [
  "losetup",
  "mount",
  "sfdisk",
  "mkfs.ext4",
  "mkfs.ntfs",
  "ntfscp",
  "ntfs-3g.probe",
  "cryptsetup",
  "mkswap",
];
const skip = networkTestObstacle(...programs) ?? false;
const mib = 1 << 20;
const partitionMib = 32;

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-check-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function blank(path: string, sizeMib: number): string {
  writeFileSync(path, "");
  truncateSync(path, sizeMib * mib);
  return path;
}

function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.byteLength, offset);
  closeSync(file);
}

/** GPT with one partition for each content, of 32 MiB each. */
function makeDisk(path: string, contents: readonly string[]): string {
  blank(path, contents.length * partitionMib + 2);
  const lines = contents.map((_, index) => `start=${1 + index * partitionMib}MiB, size=${partitionMib}MiB`);
  runWithInput(`label: gpt\n${lines.join("\n")}\n`, "sfdisk", "-q", path);
  for (const [index, content] of contents.entries()) {
    overwrite(path, (1 + index * partitionMib) * mib, readFileSync(content));
  }
  return path;
}

async function survey(path: string): ReturnType<typeof surveyDisk> {
  const disk = await openDisk(path, "read");
  try {
    return await surveyDisk(path, disk, new AbortController().signal);
  } finally {
    await disk.close();
  }
}

function assertNamed(obstacles: readonly string[], patterns: readonly RegExp[]): void {
  const text = obstacles.join("\n");
  for (const pattern of patterns) {
    assert.match(text, pattern);
  }
  assert.equal(obstacles.length, patterns.length, text);
}

test(
  "capture check: sound NTFS is no obstacle; hibernated and damaged NTFS and hibernated swap are, each with the way out",
  { skip },
  async (t) => {
    const folder = newFolder(t);
    const file = (name: string): string => blank(join(folder, name), partitionMib);
    const [sound, hibernated, damaged, swap] = ["sound", "hibernated", "damaged", "swap"].map(file);
    assert.ok(sound !== undefined && hibernated !== undefined && damaged !== undefined && swap !== undefined);
    for (const path of [sound, hibernated, damaged]) {
      run("mkfs.ntfs", "-Q", "-q", "-F", path);
    }
    const sleep = join(folder, "hiberfil.sys");
    writeFileSync(sleep, Buffer.concat([Buffer.from("hibr"), randomBytes(8188)]));
    run("ntfscp", "-f", hibernated, sleep, "hiberfil.sys");
    const boot = readFileSync(damaged).subarray(0, 512);
    const clusterSizeBytes = boot.readUInt16LE(11) * boot.readUInt8(13);
    overwrite(damaged, Number(boot.readBigUInt64LE(48)) * clusterSizeBytes, Buffer.alloc(4096, 0x5a));
    run("mkswap", swap);
    overwrite(swap, 4086, Buffer.from("S1SUSPEND\0"));
    const { obstacles } = await survey(makeDisk(join(folder, "disk"), [sound, hibernated, damaged, swap]));
    assertNamed(obstacles, [
      /^partition 2: Windows is hibernated on it .*shutdown/m,
      /^partition 3: its NTFS is damaged; .*chkdsk/m,
      /^partition 4 holds the memory of a hibernated Linux/m,
    ]);
  },
);

test(
  "capture check: BitLocker (its mark alone: only Windows makes one) is an obstacle; LUKS is taken whole and said so",
  { skip },
  async (t) => {
    const folder = newFolder(t);
    const luks = blank(join(folder, "luks"), partitionMib);
    const keyPath = join(folder, "key");
    writeFileSync(keyPath, "a key of this test");
    const quick = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];
    run("cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", ...quick, luks, keyPath);
    const bitlocker = blank(join(folder, "bitlocker"), partitionMib);
    overwrite(bitlocker, 0, Buffer.from("\xeb\x58\x90-FVE-FS-", "latin1"));
    const { obstacles, layout } = await survey(makeDisk(join(folder, "disk"), [luks, bitlocker]));
    assertNamed(obstacles, [/^partition 2 is encrypted by BitLocker; .*manage-bde -off/m]);
    assert.equal(layout.partitions[0]?.taken, "all");
    assert.match(layout.partitions[0]?.note ?? "", /LUKS/);
  },
);

test(
  "capture check: a GPT without its backup, and a disk that is mounted, are obstacles",
  { skip },
  async (t) => {
    const folder = newFolder(t);
    const ntfs = blank(join(folder, "ntfs"), partitionMib);
    run("mkfs.ntfs", "-Q", "-q", "-F", ntfs);
    const path = makeDisk(join(folder, "disk"), [ntfs]);
    assertNamed((await survey(path)).obstacles, []);
    overwrite(path, (partitionMib + 2) * mib - 33 * 512, Buffer.alloc(33 * 512));
    assertNamed((await survey(path)).obstacles, [/backup.*sgdisk/im]);

    const device = run("losetup", "--find", "--show", blank(join(folder, "used"), 40)).trim();
    t.after(() => run("losetup", "--detach", device));
    const mounted = join(folder, "mounted");
    mkdirSync(mounted);
    run("mkfs.ext4", "-q", "-F", device);
    run("mount", "-t", "ext4", device, mounted);
    try {
      assertNamed((await survey(device)).obstacles, [/^loop\d+ is mounted/m]);
    } finally {
      run("umount", mounted);
    }
  },
);

test("capture check: LVM in use, swap in use and a mounted partition are named (a made-up /sys and /proc)", (t) => {
  const root = newFolder(t);
  const block = join(root, "sys/class/block");
  for (const [name, holder] of [
    ["sda1", null],
    ["sda2", "dm-0"],
    ["sda3", null],
    ["sda4", null],
  ] as const) {
    // The kernel shows a partition below its disk, and beside it.
    for (const folder of [join(block, "sda", name), join(block, name)]) {
      mkdirSync(join(folder, "holders", holder ?? ""), { recursive: true });
      writeFileSync(join(folder, "partition"), "");
    }
  }
  mkdirSync(join(root, "proc/self"), { recursive: true });
  writeFileSync(
    join(root, "proc/self/mounts"),
    "/dev/sda1 /srv ext4 rw 0 0\n/dev/sda44 /other ext4 rw 0 0\n",
  );
  writeFileSync(join(root, "proc/swaps"), "Filename Type Size\n/dev/sda3 partition 1024\n");
  assert.deepEqual(findUsers("sda", root).toSorted(), [
    "sda1 is mounted",
    "sda2 is in use by dm-0 (LVM, RAID or encryption); deactivate it",
    "sda3 is in use as swap",
  ]);
  assert.deepEqual(findUsers("sdb", root), []);
});

test(
  "capture check: an LVM volume that is not in use is taken whole, and said so",
  { skip: networkTestObstacle("losetup", "sfdisk", "pvcreate") ?? false },
  async (t) => {
    const folder = newFolder(t);
    const volume = blank(join(folder, "volume"), partitionMib);
    const device = run("losetup", "--find", "--show", volume).trim();
    try {
      run("pvcreate", "--yes", device);
    } finally {
      run("losetup", "--detach", device);
    }
    const { obstacles, layout } = await survey(makeDisk(join(folder, "disk"), [volume]));
    assertNamed(obstacles, []);
    assert.equal(layout.partitions[0]?.fileSystem, "lvm");
    assert.equal(layout.partitions[0]?.taken, "all");
    assert.match(layout.partitions[0]?.note ?? "", /LVM/);
  },
);
