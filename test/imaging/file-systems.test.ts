import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { surveyDisk } from "#agent/imaging/survey-disk.ts";
import { openDisk } from "#platform/disk.ts";
import { networkTestObstacle } from "../network-hosts.ts";
import { run, runWithInput } from "./imaging-site.ts";

const tools = ["losetup", "sfdisk", "mcopy"];
const makers = ["mkfs.vfat", "mkfs.exfat", "mkfs.f2fs", "fsck.vfat", "fsck.exfat", "fsck.f2fs"];
const clones = ["partclone.fat", "partclone.exfat", "partclone.f2fs"];
const skip = networkTestObstacle(...tools, ...makers, ...clones) ?? false;
const mib = 1 << 20;
const partitionMib = 64;

type Sample = {
  readonly name: string;
  readonly fileSystem: string;
  readonly make: readonly string[];
  readonly check: readonly string[];
};

const samples: readonly Sample[] = [
  { name: "FAT16", fileSystem: "fat", make: ["mkfs.vfat", "-F", "16"], check: ["fsck.vfat", "-n"] },
  { name: "FAT32", fileSystem: "fat", make: ["mkfs.vfat", "-F", "32"], check: ["fsck.vfat", "-n"] },
  { name: "exFAT", fileSystem: "exfat", make: ["mkfs.exfat"], check: ["fsck.exfat", "-n"] },
  { name: "F2FS", fileSystem: "f2fs", make: ["mkfs.f2fs", "-q"], check: ["fsck.f2fs", "--dry-run"] },
];

function blank(path: string, sizeMib: number): string {
  writeFileSync(path, "");
  truncateSync(path, sizeMib * mib);
  return path;
}

/** A disk with each of the samples, one after the other, over blocks that held something else before. */
function makeDisk(t: TestContext): { readonly folder: string; readonly path: string; readonly file: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), "portolan-file-systems-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = randomBytes(3 * mib);
  const filePath = join(folder, "file.bin");
  writeFileSync(filePath, file);
  const path = blank(join(folder, "disk"), samples.length * partitionMib + 2);
  const lines = samples.map((_, index) => `start=${1 + index * partitionMib}MiB, size=${partitionMib}MiB`);
  const contents = samples.map(({ name, fileSystem, make }) => {
    const part = join(folder, name);
    writeFileSync(part, Buffer.alloc(partitionMib * mib, 0x77));
    run(...(make as [string, ...string[]]), part);
    if (fileSystem === "fat") {
      run("mcopy", "-i", part, filePath, "::file.bin");
    }
    return readFileSync(part);
  });
  writeFileSync(path, Buffer.concat([Buffer.alloc(mib), ...contents, Buffer.alloc(mib)]));
  runWithInput(`label: gpt\n${lines.join("\n")}\n`, "sfdisk", "-q", path);
  return { folder, path, file };
}

test(
  "file systems: of FAT, exFAT and F2FS only the blocks in use are taken, and they make a sound copy",
  { skip },
  async (t) => {
    const { folder, path, file } = makeDisk(t);
    const disk = await openDisk(path, "read");
    const { layout, used, obstacles } = await surveyDisk(path, disk, new AbortController().signal);
    await disk.close();
    assert.deepEqual(obstacles, []);
    const whole = readFileSync(path);
    const copy = Buffer.alloc(whole.byteLength);
    for (const { startBytes, sizeBytes } of used) {
      whole.copy(copy, startBytes, startBytes, startBytes + sizeBytes);
    }
    for (const [index, { name, fileSystem, check }] of samples.entries()) {
      const partition = layout.partitions[index];
      assert.equal(partition?.fileSystem, fileSystem, name);
      assert.equal(partition.taken, "used", `${name}: ${partition.note}`);
      assert.ok((partition.usedBytes ?? Infinity) < 40 * mib, `${name}: ${partition.usedBytes} bytes`);
      const part = join(folder, `${name} copied`);
      writeFileSync(part, copy.subarray(partition.startBytes, partition.startBytes + partition.sizeBytes));
      run(...(check as [string, ...string[]]), part);
      if (fileSystem === "fat") {
        assert.equal(partition.usedBytes !== null && partition.usedBytes > 3 * mib, true, name);
        const found = join(folder, `${name} file`);
        run("mcopy", "-i", part, "::file.bin", found);
        assert.ok(readFileSync(found).equals(file), name);
      }
    }
  },
);
