import { createHash, randomBytes } from "node:crypto";
import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { TestEnd } from "../network-hosts.ts";
import { JobSite, type ListedJob } from "./job-site.ts";

type Session = {
  readonly copyBytes: number;
  readonly sentBytes: number;
  readonly movedToUnicast: readonly { readonly computerId: string; readonly reason: string }[];
};

export type Distribution = {
  /** What the session has sent, in copies of the package as it is stored. */
  readonly multicastCopies: number;
  /** What left the server's card meanwhile, in the same: multicast, unicast to who hears none, control. */
  readonly cardCopies: number;
  readonly seconds: number;
  readonly moved: readonly { readonly name: string; readonly reason: string }[];
  /** Name of the computer that drops all multicast before its agent can see it. */
  readonly deafName: string;
};

/** An installer that writes down the hash of its own file, which is mostly noise. @returns that hash */
function writeInstaller(path: string, hashesPath: string, sizeBytes: number): string {
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

/**
 * One job installs a package of noise on computers of one segment, the last of which hears no multicast. Has asserted that
 * the job is done and that every computer had the whole file.
 */
export async function distributePackage(
  t: TestEnd,
  { sizeBytes, computerCount }: { readonly sizeBytes: number; readonly computerCount: number },
): Promise<Distribution> {
  const deafName = `pc${computerCount}`;
  const names = Array.from({ length: computerCount }, (_, index) => `pc${index + 1}`);
  const site = new JobSite(t, names);
  await site.startServer();
  await site.startComputers();
  site.hosts.run(deafName, "nft", [
    "add table ip deaf; add chain ip deaf in { type filter hook input priority 0; }; add rule ip deaf in ip daddr 224.0.0.0/4 drop",
  ]);
  const installer = join(site.folder, "tool-1.0.exe");
  const wanted = writeInstaller(installer, join(site.folder, "hashes"), sizeBytes);
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
  return {
    multicastCopies: session.sentBytes / session.copyBytes,
    cardCopies: cardBytes / session.copyBytes,
    seconds,
    moved: session.movedToUnicast.map(({ computerId, reason }) => ({
      name: names[computers.indexOf(computerId)] ?? computerId,
      reason,
    })),
    deafName,
  };
}
