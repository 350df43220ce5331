import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RestoreTarget } from "#agent/imaging/restore-target.ts";
import { surveyDisk } from "#agent/imaging/survey-disk.ts";
import { writeIdentity } from "#agent/imaging/write-identity.ts";
import type { Manifest } from "#engine/image/manifest.ts";
import { openDisk } from "#platform/disk.ts";
import { exactRestore } from "#wire/control/image-task-message.ts";
import { networkTestObstacle } from "../network-hosts.ts";
import { run, runWithInput } from "./imaging-site.ts";

const skip = networkTestObstacle("losetup", "sfdisk", "mkfs.ntfs", "ntfs-3g", "ntfscat") ?? false;
const mib = 1 << 20;

/** A disk whose first partition is an NTFS with the folders that tell a Windows. @returns where that partition is */
function makeWindowsDisk(folder: string, path: string): readonly string[] {
  writeFileSync(path, "");
  truncateSync(path, 66 * mib);
  runWithInput("label: gpt\nstart=1MiB, size=64MiB\n", "sfdisk", "-q", path);
  const place = ["--offset", String(mib), "--sizelimit", String(64 * mib)];
  const device = run("losetup", "--find", "--show", ...place, path).trim();
  try {
    run("mkfs.ntfs", "-Q", "-q", "-F", device);
    const mounted = join(folder, "mounted");
    mkdirSync(mounted);
    run("ntfs-3g", device, mounted);
    try {
      mkdirSync(join(mounted, "Windows/System32"), { recursive: true });
    } finally {
      run("umount", mounted);
    }
  } finally {
    run("losetup", "--detach", device);
  }
  return place;
}

test(
  "identity: a Windows volume (real NTFS, only its folders made up) gets the answer file with the computer's name",
  { skip },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "portolan-windows-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "disk");
    const place = makeWindowsDisk(folder, path);
    const disk = await openDisk(path, "read");
    const { layout } = await surveyDisk(path, disk, new AbortController().signal);
    await disk.close();
    const manifest: Manifest = {
      version: 1,
      name: "windows",
      sizeBytes: 66 * mib,
      chunkSizeBytes: mib,
      hashAlgorithm: "sha256",
      chunks: Array.from({ length: 66 }, () => null),
      layout,
    };
    const target = await RestoreTarget.open(path, manifest, exactRestore);
    assert.ok(target instanceof RestoreTarget);
    const unattend = "<unattend><ComputerName>{name}</ComputerName>Grüße</unattend>";
    const identity = { hostName: "ROOM-7", address: null, unattend };
    assert.deepEqual(await writeIdentity(target, manifest, identity), ["Windows on partition 1"]);
    await target.close();
    const device = run("losetup", "--find", "--show", "--read-only", ...place, path).trim();
    try {
      const found = run("ntfscat", device, "Windows/Panther/unattend.xml");
      assert.equal(found, "<unattend><ComputerName>ROOM-7</ComputerName>Grüße</unattend>");
    } finally {
      run("losetup", "--detach", device);
    }
    assert.ok(readFileSync(path).includes("ROOM-7"), "it is on the disk");
  },
);
