import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ChunkStore } from "#server/chunk-store.ts";
import { importRawDisk } from "#server/image-import.ts";
import type { TransmitPlan, TransmitResult } from "./transmit-plan.ts";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";

const diskSizeBytes = 24 << 20;

/** sender (10.8.0.1) ── room ── a (10.8.0.2), b (10.8.0.3), c (10.8.0.4) */
async function transmit(t: TestContext, prepare: (hosts: NetworkHosts) => void): Promise<TransmitResult> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-imaging-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const disk = join(folder, "disk.img");
  const content = randomBytes(diskSizeBytes);
  content.fill(0, 4 << 20, 8 << 20);
  writeFileSync(disk, content);
  const store = new ChunkStore(join(folder, "chunks"));
  const { manifestText } = await importRawDisk(store, { path: disk, name: "test" }, () => undefined);
  writeFileSync(join(folder, "manifest.json"), manifestText);
  const hosts = new NetworkHosts(t);
  const names = ["a", "b", "c"];
  hosts.segment("room", [
    { host: "sender", interfaceName: "eth0", address: "10.8.0.1/24" },
    ...names.map((host, index) => ({ host, interfaceName: "eth0", address: `10.8.0.${index + 2}/24` })),
  ]);
  prepare(hosts);
  const plan: TransmitPlan = {
    chunksFolder: join(folder, "chunks"),
    manifestPath: join(folder, "manifest.json"),
    maxMbps: 0,
    receivers: names.map((name) => ({ namespace: hosts.namespace(name) })),
  };
  const planPath = join(folder, "plan.json");
  writeFileSync(planPath, JSON.stringify(plan));
  const output = hosts.run("sender", process.execPath, [
    "--disable-warning=ExperimentalWarning",
    "test/imaging/transmit.ts",
    planPath,
  ]);
  assert.equal(statSync(disk).size, diskSizeBytes);
  return JSON.parse(output) as TransmitResult;
}

function assertAllComplete(result: TransmitResult): void {
  assert.deepEqual(
    Object.values(result.left).map(({ reason }) => reason),
    ["done", "done", "done"],
  );
  assert.deepEqual(
    Object.values(result.complete).map((receiver) => receiver?.isComplete),
    [true, true, true],
  );
}

/** What one copy needs: random content does not compress, four chunks are zero. */
const copyBytes = diskSizeBytes - (4 << 20);

test("imaging: three receivers get an image by one copy on the wire, every chunk by its hash", async (t) => {
  const obstacle = networkTestObstacle("ip");
  if (obstacle !== null) {
    t.skip(obstacle);
    return;
  }
  const result = await transmit(t, () => undefined);
  assertAllComplete(result);
  t.diagnostic(`${(result.sentBytes / copyBytes).toFixed(2)} copies in ${Math.round(result.durationMs)} ms`);
  assert.ok(result.sentBytes < copyBytes * 1.3, `${result.sentBytes} bytes for ${copyBytes}`);
});

test("imaging: at 2 % loss at each receiver all three finish, and repairs cost less than half a copy", async (t) => {
  const obstacle = networkTestObstacle("ip", "nft");
  if (obstacle !== null) {
    t.skip(obstacle);
    return;
  }
  const result = await transmit(t, (hosts) => {
    for (const host of ["a", "b", "c"]) {
      const nft = (...args: readonly string[]): string => hosts.run(host, "nft", args);
      nft("add table ip loss");
      nft("add chain ip loss input { type filter hook input priority 0 ; }");
      nft("add rule ip loss input udp dport 401 numgen random mod 100 < 2 drop");
    }
  });
  assertAllComplete(result);
  t.diagnostic(`${(result.sentBytes / copyBytes).toFixed(2)} copies in ${Math.round(result.durationMs)} ms`);
  assert.ok(result.sentBytes > copyBytes * 1.02, "the loss took place");
  assert.ok(result.sentBytes < copyBytes * 1.5, `${result.sentBytes} bytes for ${copyBytes}`);
});
