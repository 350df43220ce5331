import assert from "node:assert/strict";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { ImagingSite } from "./imaging-site.ts";
import { hashFiles, makeDataDisk } from "./data-disk.ts";

const skip =
  networkTestObstacle("ip", "losetup", "partclone.extfs", "mkfs.ntfs", "mkfs.xfs", "mkfs.btrfs") ?? false;

test("capture: a disk with ext4, xfs, btrfs and NTFS comes back file for file", { skip }, async (t) => {
  const site = new ImagingSite(t, ["pc1", "pc2"]);
  const sourcePath = join(site.folder, "source.raw");
  const source = makeDataDisk(site, sourcePath, 900);
  const wanted = hashFiles(source);
  await site.startServer();
  const { id } = await site.startComputer("pc1", source.device);
  const job = site.portolan("image", "capture", id, "--name", "data") as { state: string };
  assert.equal(job.state, "done", JSON.stringify(job));
  type Image = { name: string; storedBytes: number; sizeBytes: number };
  const [image] = site.portolan("image", "list") as Image[];
  assert.equal(image?.name, "data");
  t.diagnostic(`${image.storedBytes} bytes stored for a disk of ${image.sizeBytes}`);
  const targetPath = join(site.folder, "target.raw");
  writeFileSync(targetPath, "");
  truncateSync(targetPath, 900 << 20);
  const device = site.attach(targetPath);
  const target = await site.startComputer("pc2", device);
  const deployed = site.startPortolan("deploy", "data", target.id);
  await target.agent.waitFor("task done", 120_000);
  deployed.child.kill();
  assert.deepEqual(hashFiles({ ...source, device }), wanted);
});
