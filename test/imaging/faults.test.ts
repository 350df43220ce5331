import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { networkTestObstacle } from "../network-hosts.ts";
import { ImagingSite, run, runWithInput } from "./imaging-site.ts";

const skip = networkTestObstacle("ip", "losetup", "mount", "sfdisk", "tc") ?? false;
const mib = 1 << 20;
const diskMib = 192;

function randomDisk(site: ImagingSite): string {
  const path = join(site.folder, "source.raw");
  writeFileSync(path, randomBytes(diskMib * mib));
  return path;
}

function blankDisk(folder: string): string {
  const path = join(folder, "target.raw");
  writeFileSync(path, "");
  truncateSync(path, diskMib * mib);
  return path;
}

function storedCount(site: ImagingSite): number {
  const folder = join(site.dataDir, "chunks");
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return names.filter((name) => name.endsWith(".zst")).length;
}

/** 32 KiB, at a full MiB or before one. */
function readAt(device: string, offset: number): Buffer {
  const file = openSync(device, "r");
  const bytes = Buffer.alloc(32 << 10);
  readSync(file, bytes, 0, bytes.byteLength, offset);
  closeSync(file);
  return bytes;
}

function writtenCount(device: string): number {
  return Array.from({ length: diskMib }, (_, index) => readAt(device, index * mib)).filter((bytes) =>
    bytes.some((byte) => byte !== 0),
  ).length;
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!isSo()) {
    assert.ok(performance.now() < deadline, `waited in vain: ${what}`);
    await pause(20);
  }
}

test(
  "faults: a server killed in the middle of a capture goes on with it; the image is the disk, byte for byte",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, ["pc1"]);
    const source = randomDisk(site);
    await site.startServer();
    const { id, agent } = await site.startComputer("pc1", site.attach(source));
    // Slow enough that a test which is kept waiting itself still kills it in the middle.
    const rate = ["rate", "150mbit", "burst", "64kb", "latency", "50ms"];
    site.hosts.run("pc1", "tc", ["qdisc", "add", "dev", "eth0", "root", "tbf", ...rate]);
    site.startPortolan("image", "capture", id, "--name", "random");
    await until("some chunks are stored", () => storedCount(site) > 8);
    await site.killServer();
    const count = storedCount(site);
    t.diagnostic(`${count} of ${diskMib} chunks stored when the server was killed`);
    assert.ok(count < diskMib, "it was killed in the middle");
    assert.doesNotMatch(agent.output(), /captured as image/);
    await site.startServer();
    assert.ok(storedCount(site) >= count, "what was stored is stored");
    await agent.waitFor("captured as image", 180_000);
    const out = join(site.folder, "out.raw");
    site.portolan("image", "export", "random", out);
    assert.equal(hash("sha256", readFileSync(out)), hash("sha256", readFileSync(source)));
  },
);

test(
  "faults: a server killed in the middle of a restore goes on with it; until the end the disk has no start",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, ["pc1"]);
    const source = randomDisk(site);
    await site.startServer();
    site.portolan("image", "import", source, "random");
    site.portolan("settings", "set", "imaging.maxMbps", "100");
    const device = site.attach(blankDisk(site.folder));
    const { id, agent } = await site.startComputer("pc1", device);
    site.startPortolan("deploy", "random", id);
    await until("some chunks are written", () => writtenCount(device) > 4);
    await site.killServer();
    const count = writtenCount(device);
    t.diagnostic(`${count} of ${diskMib} MiB written when the server was killed`);
    assert.ok(count < diskMib, "it was killed in the middle");
    assert.ok(
      readAt(device, 0).every((byte) => byte === 0),
      "no partition table",
    );
    assert.doesNotMatch(agent.output(), /task done/);
    await site.startServer();
    await agent.waitFor("task done", 180_000);
    assert.equal(hash("sha256", readFileSync(device)), hash("sha256", readFileSync(source)));
  },
);

/** A file system of so much memory, which ends with the test. @returns its folder */
function mountSmall(t: TestContext, sizeMib: number): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-small-"));
  run("mount", "-t", "tmpfs", "-o", `size=${sizeMib}m`, "tmpfs", folder);
  t.after(() => {
    run("umount", "--lazy", folder);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

test(
  "faults: a server whose disk is full in the middle of a capture refuses by name, stays sound, and goes on with room",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, ["pc1"]);
    const source = randomDisk(site);
    const small = mountSmall(t, diskMib / 2);
    symlinkSync(small, site.dataDir);
    await site.startServer();
    const earlier = join(site.folder, "earlier.raw");
    writeFileSync(earlier, randomBytes(8 * mib));
    site.portolan("image", "import", earlier, "earlier");
    const { id, agent } = await site.startComputer("pc1", site.attach(source));
    const capturing = site.startPortolan("image", "capture", id, "--name", "random");
    assert.equal(await capturing.waitForEnd(), 1, capturing.output());
    assert.match(capturing.output(), /no space left on .*server\/chunks.*image prune/s);
    assert.match(agent.output(), /task failed: .*no space left/);
    const count = storedCount(site);
    assert.ok(count > 16 && count < diskMib, `${count} chunks stored: it was full in the middle`);
    const images = site.portolan("image", "list") as { name: string }[];
    assert.deepEqual(
      images.map(({ name }) => name),
      ["earlier"],
      "no half image is called one",
    );
    site.portolan("image", "verify", "earlier");
    run("mount", "-o", `remount,size=${diskMib * 2}m`, small);
    const again = site.portolan("image", "capture", id, "--name", "random") as { state: string };
    assert.equal(again.state, "done", JSON.stringify(again));
    assert.ok(storedCount(site) >= count, "what was stored is stored");
    site.portolan("image", "verify", "random");
    const out = join(site.folder, "out.raw");
    site.portolan("image", "export", "random", out);
    assert.equal(hash("sha256", readFileSync(out)), hash("sha256", readFileSync(source)));
  },
);

test(
  "faults: a target disk that fails in its middle fails the task, names the error, and is left without a start",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, ["pc1"]);
    await site.startServer();
    site.portolan("image", "import", randomDisk(site), "random");
    // Half of the disk has room on the file system below it; a write to the rest fails as that does.
    const path = blankDisk(mountSmall(t, diskMib / 2));
    runWithInput("label: gpt\nstart=1MiB\n", "sfdisk", "-q", path);
    const loop = site.attach(path);
    const { id, agent } = await site.startComputer("pc1", loop);
    const deploying = site.startPortolan("deploy", "random", id, "--json");
    // At once: only a server that is gone is waited for.
    await agent.waitFor("task failed", 40_000);
    assert.match(agent.output(), /task failed: .*(EIO|i\/o error|ENOSPC)/i);
    assert.equal(await deploying.waitForEnd(), 1, deploying.output());
    assert.ok(deploying.output().includes(`${loop} could not be written`), deploying.output());
    assert.match(deploying.output(), /(EIO|i\/o error).*replace it|ENOSPC.*it has no room/i);
    const name = loop.replace("/dev/", "");
    assert.match(deploying.output(), new RegExp(`${name} \\(.*serial ${name}\\) was left unbootable`));
    assert.ok(writtenCount(loop) > 0, "it failed while it was written");
    assert.ok(
      readAt(loop, 0).every((byte) => byte === 0),
      "no partition table, also not that of before",
    );
    assert.ok(
      readAt(loop, diskMib * mib - (32 << 10)).every((byte) => byte === 0),
      "and no backup of one",
    );
    site.portolan("image", "verify", "random");
  },
);

test(
  "faults: a target disk smaller than the image is refused by name and size, and keeps what it holds",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, ["pc1"]);
    await site.startServer();
    site.portolan("image", "import", randomDisk(site), "random");
    const small = join(site.folder, "small.raw");
    const held = randomBytes((diskMib - 1) * mib);
    writeFileSync(small, held);
    const loop = site.attach(small);
    const { id } = await site.startComputer("pc1", loop);
    const deploying = site.startPortolan("deploy", "random", id);
    assert.equal(await deploying.waitForEnd(), 1, deploying.output());
    assert.match(deploying.output(), new RegExp(`the disk is smaller: ${loop.replace("/dev/", "")} `));
    assert.equal(hash("sha256", readFileSync(loop)), hash("sha256", held));
  },
);
