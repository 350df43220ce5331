import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type HostProcess, networkTestObstacle } from "../network-hosts.ts";
import { ImagingSite, run } from "./imaging-site.ts";

const skip = networkTestObstacle("ip", "losetup", "tc") ?? false;
const mib = 1 << 20;
const diskMib = 64;
const sourceMbps = 24;
/** Seconds in which nothing comes from a source. More than 60 is longer than a connection without words bears. */
const stallS = Number(process.env["PORTOLAN_TEST_STALL_S"] ?? "3");

type Arriving = { readonly id: string; readonly chunkCount: number; readonly arrivedChunkCount: number };
type Session = {
  readonly group: string | null;
  readonly joined: number;
  readonly sentBytes: number;
  readonly copyBytes: number;
  readonly movedToUnicast: readonly unknown[];
};
type Target = { readonly id: string; readonly device: string; readonly agent: HostProcess };

/** A computer with random data on its disk, whose link is slow, and others with blank disks. */
async function openRoom(site: ImagingSite, targets: readonly string[]) {
  const path = join(site.folder, "source.raw");
  writeFileSync(path, randomBytes(diskMib * mib));
  await site.startServer();
  const sourceDevice = site.attach(path);
  const source = await site.startComputer("pc1", sourceDevice);
  const rate = [`${sourceMbps}mbit`, "burst", "256k", "latency", "200ms"];
  site.hosts.run("pc1", "tc", ["qdisc", "add", "dev", "eth0", "root", "tbf", "rate", ...rate]);
  const others: Target[] = [];
  for (const name of targets) {
    const blank = join(site.folder, `${name}.raw`);
    writeFileSync(blank, "");
    truncateSync(blank, diskMib * mib);
    const device = site.attach(blank);
    others.push({ ...(await site.startComputer(name, device)), device });
  }
  return { source, sourceDevice, others, wanted: hash("sha256", readFileSync(path)) };
}

function hashDisk(device: string): string {
  return hash("sha256", readFileSync(device));
}

function hasStart(device: string): boolean {
  return readFileSync(device)
    .subarray(0, mib)
    .some((byte) => byte !== 0);
}

async function until<Found>(what: string, look: () => Found | null): Promise<Found> {
  const deadline = performance.now() + 90_000;
  for (;;) {
    const found = look();
    if (found !== null) {
      return found;
    }
    assert.ok(performance.now() < deadline, `waited in vain: ${what}`);
    await pause(50);
  }
}

/** Once all are sent the image, while it is still coming. */
async function untilSending(site: ImagingSite, receiverCount: number): Promise<Arriving> {
  return until("the image is sent while it comes", () => {
    const [session] = site.portolan("session", "list") as Session[];
    const [image] = site.portolan("image", "arriving") as Arriving[];
    const isSending =
      session !== undefined && session.joined === receiverCount && session.sentBytes > 4 * mib;
    return isSending && image !== undefined ? image : null;
  });
}

test(
  "stream: three computers get the disk of a fourth while it sends it, by one multicast; all are equal to it",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, ["pc1", "pc2", "pc3", "pc4"]);
    const { source, others, wanted } = await openRoom(site, ["pc2", "pc3", "pc4"]);
    const ids = others.map(({ id }) => id);
    site.startPortolan("deploy", "office", "--from", source.id, ...ids);
    const { chunkCount, arrivedChunkCount } = await untilSending(site, 3);
    t.diagnostic(`${arrivedChunkCount} of ${chunkCount} chunks had come when the others were getting them`);
    assert.ok(arrivedChunkCount < chunkCount, "sending began before the capture had ended");
    assert.deepEqual(site.portolan("image", "list"), [], "not an image yet");
    const list = site.startPortolan("image", "list");
    await list.waitForEnd();
    assert.match(list.output(), /ARRIVING[^]*office +[0-9a-f]{12} .* chunks +capturing [^ ]+ (?:\w+) of /);
    assert.doesNotMatch(list.output(), /unused/, "what has come is not to be pruned");
    // What has come of it is nobody's yet, and must stay.
    site.portolan("image", "prune");
    for (const { agent } of others) {
      await agent.waitFor("task done", 240_000);
    }
    await source.agent.waitFor("captured as image");
    for (const { device, agent } of others) {
      assert.match(agent.output(), /multicast session/);
      assert.equal(hashDisk(device), wanted);
    }
    const [session] = site.portolan("session", "list") as Session[];
    assert.ok(session !== undefined && session.group !== null);
    assert.deepEqual(session.movedToUnicast, []);
    const copies = session.sentBytes / session.copyBytes;
    t.diagnostic(`${copies.toFixed(2)} copies were sent to three computers`);
    assert.ok(copies >= 1 && copies < 1.5, `${copies} copies`);
    site.portolan("image", "verify", "office");
  },
);

test(
  "stream: a source that is killed and started again goes on with the same image, and so do those who get it",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, ["pc1", "pc2", "pc3"]);
    const { source, sourceDevice, others, wanted } = await openRoom(site, ["pc2", "pc3"]);
    site.startPortolan("deploy", "office", "--from", source.id, ...others.map(({ id }) => id));
    const before = await untilSending(site, 2);
    source.agent.child.kill("SIGKILL");
    const again = await site.startComputer("pc1", sourceDevice);
    for (const { agent, device } of others) {
      await agent.waitFor("task done", 240_000);
      assert.equal(hashDisk(device), wanted);
    }
    assert.equal(again.id, source.id);
    await again.agent.waitFor("captured as image");
    const [image] = site.portolan("image", "list") as { readonly id: string }[];
    assert.equal(image?.id, before.id);
    site.portolan("image", "verify", "office");
  },
);

test(
  "stream: a capture that is cancelled fails those who were getting it, says why, and leaves no disk with a start",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, ["pc1", "pc2", "pc3"]);
    const { source, others } = await openRoom(site, ["pc2", "pc3"]);
    const ids = others.map(({ id }) => id);
    const deploying = site.startPortolan("deploy", "office", "--from", source.id, ...ids);
    await untilSending(site, 2);
    const jobId = /\(job (j-[0-9a-f]+)\)/.exec(await deploying.waitFor("(job j-"))?.[1] ?? "";
    site.portolan("job", "cancel", jobId);
    const exitCode = await deploying.waitForEnd();
    assert.equal(exitCode, 1, deploying.output());
    const reasons = deploying.output().match(/stopped sending office: \d+ of \d+ chunks have not come/g);
    assert.ok((reasons?.length ?? 0) >= 2, deploying.output());
    for (const { device } of others) {
      assert.equal(hasStart(device), false, "no partition table");
    }
    assert.deepEqual(site.portolan("image", "list"), [], "no half image is called one");
    assert.deepEqual(site.portolan("image", "arriving"), []);
  },
);

test(
  "stream: a server killed meanwhile goes on with the capture, and says why the deployment has to be ordered again",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, ["pc1", "pc2", "pc3"]);
    const { source, others, wanted } = await openRoom(site, ["pc2", "pc3"]);
    const ids = others.map(({ id }) => id);
    const deploying = site.startPortolan("deploy", "office", "--from", source.id, ...ids);
    await untilSending(site, 2);
    // It is silent meanwhile: with the capture gone on with first, the others would get the image after all.
    source.agent.child.kill("SIGSTOP");
    await site.killServer();
    await site.startServer();
    const exitCode = await deploying.waitForEnd();
    source.agent.child.kill("SIGCONT");
    assert.equal(exitCode, 1, deploying.output());
    assert.equal(
      deploying.output().match(/is not in the store; .* deploy it/g)?.length,
      4,
      deploying.output(),
    );
    for (const { device } of others) {
      assert.equal(hasStart(device), false, "no partition table");
    }
    await source.agent.waitFor("captured as image", 240_000);
    site.portolan("image", "verify", "office");
    site.startPortolan("deploy", "office", ...ids);
    for (const { device, agent } of others) {
      await agent.waitFor("task done", 240_000);
      assert.equal(hashDisk(device), wanted);
    }
  },
);

test(
  "stream: a server whose disk gets full fails the capture and those who were getting it, each with its reason",
  { skip },
  async (t) => {
    const small = mkdtempSync(join(tmpdir(), "portolan-small-"));
    run("mount", "-t", "tmpfs", "-o", `size=${diskMib / 2}m`, "tmpfs", small);
    t.after(() => {
      run("umount", "--lazy", small);
      rmSync(small, { recursive: true });
    });
    const site = new ImagingSite(t, ["pc1", "pc2", "pc3"]);
    symlinkSync(small, site.dataDir);
    const { source, others } = await openRoom(site, ["pc2", "pc3"]);
    const ids = others.map(({ id }) => id);
    const deploying = site.startPortolan("deploy", "office", "--from", source.id, ...ids);
    await source.agent.waitFor("task failed", 240_000);
    assert.match(source.agent.output(), /task failed: .*no space left on the server for chunks/);
    const exitCode = await deploying.waitForEnd();
    assert.equal(exitCode, 1, deploying.output());
    assert.match(deploying.output(), /stopped sending office: \d+ of \d+ chunks have not come/);
    for (const { device } of others) {
      assert.equal(hasStart(device), false, "no partition table");
    }
    assert.deepEqual(site.portolan("image", "list"), [], "no half image is called one");
  },
);

test("stream: a single computer gets it by unicast while it comes", { skip }, async (t) => {
  const site = new ImagingSite(t, ["pc1", "pc2"]);
  const { source, others, wanted } = await openRoom(site, ["pc2"]);
  const [target] = others;
  assert.ok(target !== undefined);
  site.startPortolan("deploy", "office", "--from", source.id, target.id);
  await target.agent.waitFor("going on by unicast");
  const [image] = site.portolan("image", "arriving") as Arriving[];
  assert.ok(image !== undefined && image.arrivedChunkCount < image.chunkCount, "it was still coming");
  await target.agent.waitFor("task done", 240_000);
  assert.equal(hashDisk(target.device), wanted);
});

test(
  "stream: a single computer waits by unicast for a source that stalls, and goes on",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, ["pc1", "pc2"]);
    const { source, sourceDevice, others, wanted } = await openRoom(site, ["pc2"]);
    const [target] = others;
    assert.ok(target !== undefined);
    site.startPortolan("deploy", "office", "--from", source.id, target.id);
    await target.agent.waitFor("going on by unicast");
    source.agent.child.kill("SIGKILL");
    await pause(stallS * 1000);
    t.diagnostic(`nothing came for ${stallS} s`);
    assert.doesNotMatch(target.agent.output(), /task failed/);
    await site.startComputer("pc1", sourceDevice);
    await target.agent.waitFor("task done", 240_000);
    assert.equal(hashDisk(target.device), wanted);
  },
);
