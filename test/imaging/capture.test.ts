import assert from "node:assert/strict";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { hashFiles, makeDataDisk } from "./data-disk.ts";
import { ImagingSite, run } from "./imaging-site.ts";

const programs = ["ip", "losetup", "partclone.extfs", "mkfs.ntfs", "mkfs.xfs", "mkfs.btrfs", "sfdisk"];
const skip = networkTestObstacle(...programs) ?? false;
const mib = 1 << 20;

type Job = { state: string; runs: { reason: string | null }[] };

function blankDisk(site: ImagingSite, name: string, sizeMib: number): string {
  const path = join(site.folder, name);
  writeFileSync(path, "");
  truncateSync(path, sizeMib * mib);
  return site.attach(path);
}

type SfdiskTable = {
  partitiontable: {
    lastlba: number;
    id: string;
    partitions: { start: number; size: number; uuid: string }[];
  };
};

function readTable(device: string): SfdiskTable["partitiontable"] {
  return (JSON.parse(run("sfdisk", "--json", device)) as SfdiskTable).partitiontable;
}

test(
  "capture: a disk with ext4, xfs, btrfs and NTFS comes back file for file, also on a larger disk",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, ["pc1", "pc2", "pc3"]);
    const source = makeDataDisk(site, join(site.folder, "source.raw"), 900);
    const wanted = hashFiles(source);
    await site.startServer();
    const { id } = await site.startComputer("pc1", source.device);
    const job = site.portolan("image", "capture", id, "--name", "data") as Job;
    assert.equal(job.state, "done", JSON.stringify(job));
    type Image = { name: string; storedBytes: number; sizeBytes: number };
    const [image] = site.portolan("image", "list") as Image[];
    assert.equal(image?.name, "data");
    // 30 MB of random files; 32 MB more were deleted before the capture.
    assert.ok(image.storedBytes < 45e6, `${image.storedBytes} bytes stored`);

    const same = blankDisk(site, "same.raw", 900);
    const pc2 = await site.startComputer("pc2", same);
    site.startPortolan("deploy", "data", pc2.id);
    await pc2.agent.waitFor("task done", 180_000);
    assert.deepEqual(hashFiles({ ...source, device: same }), wanted);

    const larger = blankDisk(site, "larger.raw", 1100);
    const pc3 = await site.startComputer("pc3", larger);
    site.startPortolan("deploy", "data", pc3.id, "--grow", "--new-ids");
    await pc3.agent.waitFor("task done", 180_000);
    const [, , , last] = source.partitions;
    assert.ok(last !== undefined);
    const partitions = source.partitions.map((partition) =>
      partition === last ? { ...last, sizeMib: 1100 - 1 - last.startMib } : partition,
    );
    assert.deepEqual(hashFiles({ device: larger, partitions }), wanted);
    run("sfdisk", "--verify", larger);
    const [was, is] = [readTable(source.device), readTable(larger)];
    assert.equal(is.partitions[3]?.size, (1100 - 1 - last.startMib) * 2048);
    assert.equal(is.lastlba, 1100 * 2048 - 34);
    const ids = [was, is].flatMap((table) => [table.id, ...table.partitions.map(({ uuid }) => uuid)]);
    assert.equal(new Set(ids).size, 10);
  },
);
