import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { JobSite, type ListedJob } from "./job-site.ts";

const skip = networkTestObstacle("ip", "sha256sum") ?? false;
/** The whole size and number only where somebody asks for it: it takes this machine's memory and some minutes. */
const isWhole = process.env["PORTOLAN_TEST_WHOLE"] === "1";
const sizeBytes = isWhole ? 200 << 20 : 24 << 20;
const computerCount = isWhole ? 20 : 4;
/** The last of them drops all multicast before its agent can see it. */
const deafName = `pc${computerCount}`;

type Session = {
  readonly copyBytes: number;
  readonly sentBytes: number;
  readonly movedToUnicast: readonly { readonly computerId: string; readonly reason: string }[];
};

/** An installer that writes down the hash of its own file, which is mostly noise. @returns that hash */
function writeInstaller(path: string, hashesPath: string): string {
  const head = `#!/bin/sh\nsha256sum "$0" | cut -d" " -f1 >> ${hashesPath}\nexit 0\n`;
  const hash = createHash("sha256");
  const descriptor = openSync(path, "w", 0o755);
  const put = (part: Buffer): void => {
    hash.update(part);
    writeSync(descriptor, part);
  };
  put(Buffer.from(head));
  for (let writtenBytes = head.length; writtenBytes < sizeBytes; writtenBytes += 1 << 20) {
    put(randomBytes(Math.min(1 << 20, sizeBytes - writtenBytes)));
  }
  closeSync(descriptor);
  return hash.digest("hex");
}

/** Bytes that have left the server's card. */
function sentBytes(site: JobSite): number {
  return Number(site.hosts.run("server", "cat", ["/sys/class/net/eth0/statistics/tx_bytes"]));
}

async function distribute(t: TestContext): Promise<void> {
  const names = Array.from({ length: computerCount }, (_, index) => `pc${index + 1}`);
  const site = new JobSite(t, names);
  await site.startServer();
  await site.startComputers();
  site.hosts.run(deafName, "nft", [
    "add table ip deaf; add chain ip deaf in { type filter hook input priority 0; }; add rule ip deaf in ip daddr 224.0.0.0/4 drop",
  ]);
  const installer = join(site.folder, "tool-1.0.exe");
  const wanted = writeInstaller(installer, join(site.folder, "hashes"));
  site.portolan("package", "add", installer, "--args", "/S");
  const computers = site.names.map((_, index) => site.idOf(`10.8.0.${index + 2}`));
  const path = site.write(
    "job.yaml",
    `name: bulk\ntasks: [{kind: install-package, package: tool}]\ncomputers: [${computers.join(", ")}]\n`,
  );
  const beforeBytes = sentBytes(site);
  const startedAtMs = performance.now();
  const created = site.portolan("job", "create", path) as ListedJob;
  const job = await site.waitForJob(created.id, 900_000);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const cardBytes = sentBytes(site) - beforeBytes;
  assert.equal(job.state, "done", JSON.stringify(job));
  const hashes = readFileSync(join(site.folder, "hashes"), "utf8").trim().split("\n");
  assert.deepEqual(
    hashes,
    Array.from({ length: computerCount }, () => wanted),
    "every computer has the whole file",
  );
  const sessions = site.portolan("session", "list") as Session[];
  const [session] = sessions;
  assert.equal(sessions.length, 1, JSON.stringify(sessions));
  assert.ok(session);
  const moved = session.movedToUnicast.map(({ computerId }) => computerId);
  const deafId = site.idOf(`10.8.0.${computerCount + 1}`);
  const copies = session.sentBytes / session.copyBytes;
  const cardCopies = cardBytes / session.copyBytes;
  t.diagnostic(
    `${computerCount} computers, ${sizeBytes >> 20} MiB: ${copies.toFixed(3)} copies by multicast, ${cardCopies.toFixed(3)} copies left the card with unicast and control, ${seconds.toFixed(1)} s; moved to unicast: ${JSON.stringify(session.movedToUnicast)}`,
  );
  assert.ok(copies >= 0.99 && copies < 1.5, `${copies} copies by multicast`);
  assert.ok(cardCopies < 3, `${cardCopies} copies on the card: one for the room, one for the deaf computer`);
  assert.ok(moved.length === 0 || moved.includes(deafId), JSON.stringify(moved));
}

test(
  `package: ${sizeBytes >> 20} MiB to ${computerCount} agents by one multicast, one that hears none by unicast, hashes equal`,
  { skip: skip === false ? (networkTestObstacle("nft") ?? false) : skip, timeout: 1_200_000 },
  distribute,
);
