import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { networkTestObstacle } from "../network-hosts.ts";
import { ImagingSite } from "./imaging-site.ts";

const skip = networkTestObstacle("ip", "losetup", "tc") ?? false;
const mib = 1 << 20;
const diskMib = 64;
/** Seconds without a link. A minute of it is longer than every silence that either side bears. */
const cutS = Number(process.env["PORTOLAN_TEST_CUT_S"] ?? "3");

/** The computer's cable, at the switch: neither side sees its own link go down. */
function setCable(site: ImagingSite, state: "in" | "out"): void {
  const change = state === "in" ? ["master", "room"] : ["nomaster"];
  site.hosts.run("switch", "ip", ["link", "set", "roomp1", ...change]);
}

/** Slow enough to be cut in the middle. */
function slowDown(site: ImagingSite, host: string): void {
  const shape = ["rate", "100mbit", "burst", "64kb", "latency", "50ms"];
  site.hosts.run(host, "tc", ["qdisc", "add", "dev", "eth0", "root", "tbf", ...shape]);
}

function storedCount(site: ImagingSite): number {
  const folder = join(site.dataDir, "chunks");
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return names.filter((name) => name.endsWith(".zst")).length;
}

function writtenCount(path: string): number {
  const bytes = readFileSync(path);
  return Array.from({ length: diskMib }, (_, index) => bytes[index * mib + 5]).filter((byte) => byte !== 0)
    .length;
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!isSo()) {
    assert.ok(performance.now() < deadline, `waited in vain: ${what}`);
    await pause(50);
  }
}

async function cutCable(site: ImagingSite, t: { diagnostic(text: string): void }): Promise<number> {
  setCable(site, "out");
  await pause(cutS * 1000);
  setCable(site, "in");
  t.diagnostic(`the link was gone for ${cutS} s`);
  return performance.now();
}

test(
  "link cut in the middle of a capture: it goes on, and the image is the disk, byte for byte",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, ["pc1"]);
    const source = join(site.folder, "source.raw");
    writeFileSync(source, randomBytes(diskMib * mib));
    await site.startServer();
    const { id, agent } = await site.startComputer("pc1", site.attach(source));
    slowDown(site, "pc1");
    site.startPortolan("image", "capture", id, "--name", "random");
    await until("some chunks are stored", () => storedCount(site) > 8);
    const backAtMs = await cutCable(site, t);
    const count = storedCount(site);
    assert.ok(count < diskMib, "it was cut in the middle");
    assert.doesNotMatch(agent.output(), /captured as image/);
    await agent.waitFor("captured as image", 240_000);
    t.diagnostic(
      `${count} of ${diskMib} chunks stored; done ${Math.round(performance.now() - backAtMs)} ms after`,
    );
    const out = join(site.folder, "out.raw");
    site.portolan("image", "export", "random", out);
    assert.equal(hash("sha256", readFileSync(out)), hash("sha256", readFileSync(source)));
  },
);

test(
  "link cut in the middle of a restore: it goes on, and the disk is the image, byte for byte",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, ["pc1"]);
    const [source, target] = ["source.raw", "target.raw"].map((name) => join(site.folder, name));
    assert.ok(source !== undefined && target !== undefined);
    writeFileSync(source, randomBytes(diskMib * mib));
    writeFileSync(target, "");
    truncateSync(target, diskMib * mib);
    await site.startServer();
    site.portolan("image", "import", source, "random");
    site.portolan("settings", "set", "imaging.maxMbps", "100");
    slowDown(site, "server");
    const device = site.attach(target);
    const { id, agent } = await site.startComputer("pc1", device);
    site.startPortolan("deploy", "random", id);
    await until("some chunks are written", () => writtenCount(device) > 4);
    const backAtMs = await cutCable(site, t);
    const count = writtenCount(device);
    assert.ok(count < diskMib, "it was cut in the middle");
    assert.ok(
      readFileSync(device)
        .subarray(0, 4096)
        .every((byte) => byte === 0),
      "no partition table meanwhile",
    );
    await agent.waitFor("task done", 240_000);
    t.diagnostic(
      `${count} of ${diskMib} MiB written; done ${Math.round(performance.now() - backAtMs)} ms after`,
    );
    assert.equal(hash("sha256", readFileSync(device)), hash("sha256", readFileSync(source)));
  },
);
