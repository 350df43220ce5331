import assert from "node:assert/strict";
import { statfsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { DiskRestore } from "#agent/imaging/disk-restore.ts";
import { RestoreTarget } from "#agent/imaging/restore-target.ts";
import { surveyDisk } from "#agent/imaging/survey-disk.ts";
import { openDisk } from "#platform/disk.ts";
import { ChunkStore } from "#server/chunk-store.ts";
import { importRawDisk } from "#server/image-import.ts";
import { exactRestore } from "#wire/control/image-task-message.ts";
import { networkTestObstacle } from "../network-hosts.ts";
import { type DataDisk, type DataPartition, hashFiles, makeDataDisk, withMounted } from "./data-disk.ts";
import { ImagingSite, run } from "./imaging-site.ts";

const programs = ["ip", "losetup", "partclone.extfs", "mkfs.ntfs", "mkfs.xfs", "mkfs.btrfs", "sfdisk"];
const obstacle = networkTestObstacle(
  ...programs,
  "resize2fs",
  "xfs_growfs",
  "btrfs",
  "ntfsresize",
  "ntfs-3g",
);
const skip = obstacle ?? false;
const sourceMib = 900;

/** Shrinking joins two block devices for a moment. */
function deviceMapperObstacle(): string | false {
  try {
    run("dmsetup", "targets");
    return false;
  } catch {
    return "needs the kernel's device mapper";
  }
}

type Source = DataDisk & {
  readonly site: ImagingSite;
  readonly files: Readonly<Record<string, string>>;
  readonly store: ChunkStore;
  readonly image: Awaited<ReturnType<typeof importRawDisk>>;
};

/** GPT with ext4, xfs, NTFS and btrfs, as an image in a store. */
async function makeSource(t: TestContext): Promise<Source> {
  const site = new ImagingSite(t, []);
  const source = makeDataDisk(site, join(site.folder, "source.raw"), sourceMib);
  const files = hashFiles(source);
  assert.ok(Object.keys(files).length >= 160, "40 files in each of four file systems");
  const disk = await openDisk(source.device, "read");
  const { layout } = await surveyDisk(source.device, disk, new AbortController().signal);
  await disk.close();
  const store = new ChunkStore(join(site.folder, "chunks"));
  const image = await importRawDisk(store, { path: source.device, name: "data", layout }, () => undefined);
  return { ...source, site, files, store, image };
}

/** What the file system itself says that it has. */
function fileSystemMib(device: string, partition: DataPartition): number {
  return withMounted(device, partition, (folder) => {
    const { blocks, bsize } = statfsSync(folder);
    return Math.round((blocks * bsize) / (1 << 20));
  });
}

/** Puts the image on a blank disk of another size, as a deploy task does, then compares every file. */
async function restoreResized(source: Source, number: number, targetMib: number): Promise<void> {
  const { site, files, store, image, partitions } = source;
  const path = join(site.folder, `target-${number}-${targetMib}.raw`);
  writeFileSync(path, "");
  truncateSync(path, targetMib << 20);
  const device = site.attach(path);
  const options = { ...exactRestore, resize: { partition: number, mayShrink: true } };
  const target = await RestoreTarget.open(device, image.manifest, options);
  assert.ok(target instanceof RestoreTarget, JSON.stringify(target));
  try {
    const restore = new DiskRestore(target.disk, image.manifest, target.placed);
    await restore.begin();
    for (const index of restore.missing()) {
      assert.ok(await restore.write(index, await store.readFrame(image.manifest.chunks[index] ?? "")));
    }
    assert.equal(await restore.verify(() => undefined), null);
    await target.resize();
    const fault = await restore.complete((first) => target.finalTable(first, image.manifest, options));
    assert.equal(fault, null);
  } finally {
    await target.close();
  }
  const moreMib = targetMib - sourceMib;
  const place = partitions[number - 1];
  assert.ok(place !== undefined);
  const wasMib = fileSystemMib(source.device, place);
  const isMib = fileSystemMib(device, { ...place, sizeMib: place.sizeMib + moreMib });
  assert.ok(Math.abs(isMib - wasMib - moreMib) < 16, `the file system had ${wasMib} MiB and has ${isMib}`);
  const places = partitions.map((partition) => ({
    ...partition,
    startMib: partition.startMib + (partition.number > number ? moreMib : 0),
    sizeMib: partition.sizeMib + (partition.number === number ? moreMib : 0),
  }));
  assert.deepEqual(hashFiles({ device, partitions: places }), files);
  assert.match(run("sfdisk", "--verify", device), /No errors detected/);
  type Table = { partitiontable: { partitions: { start: number; size: number }[] } };
  const table = JSON.parse(run("sfdisk", "--json", device)) as Table;
  assert.deepEqual(
    table.partitiontable.partitions.map(({ start, size }) => ({ start, size })),
    places.map(({ startMib, sizeMib }) => ({ start: startMib * 2048, size: sizeMib * 2048 })),
  );
}

for (const [number, name] of ["ext4", "xfs", "NTFS", "btrfs"].entries()) {
  test(
    `resize: ${name}, named by its number, grows on a larger disk; what is behind it moves, every file stays`,
    { skip },
    async (t) => restoreResized(await makeSource(t), number + 1, sourceMib + 200),
  );
}

for (const { number, name } of [
  { number: 1, name: "ext4" },
  { number: 3, name: "NTFS" },
  { number: 4, name: "btrfs" },
]) {
  test(
    `resize: ${name} shrinks on a smaller disk; what is behind it moves, every file stays`,
    { skip: skip === false ? deviceMapperObstacle() : skip },
    async (t) => restoreResized(await makeSource(t), number, sourceMib - 40),
  );
}

test("resize: xfs cannot shrink, which is said before anything is written", { skip }, async (t) => {
  const { site, image } = await makeSource(t);
  const path = join(site.folder, "target.raw");
  writeFileSync(path, "");
  truncateSync(path, (sourceMib - 40) << 20);
  const options = { ...exactRestore, resize: { partition: 2, mayShrink: true } };
  const target = await RestoreTarget.open(site.attach(path), image.manifest, options);
  assert.ok(!(target instanceof RestoreTarget));
  assert.match(target.refusal, /partition 2 \(xfs\) cannot shrink; name another partition/);
});
