import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ChunkStore } from "#server/chunk-store.ts";
import { importRawDisk } from "#server/image-import.ts";
import type { SessionRecord } from "#server/imaging-record.ts";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";

const skip = networkTestObstacle("ip") ?? false;

type Printed = {
  readonly sessions: readonly SessionRecord[];
  readonly complete: Readonly<
    Record<
      string,
      { readonly isComplete: boolean; readonly packetCount: number; readonly refusedCount: number }
    >
  >;
  readonly failed: readonly string[];
};

test(
  "imaging: five sessions on the four classic pairs, two hosts in all of them: no datagram goes astray, the fifth takes the first pair that is freed",
  { skip },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "portolan-sessions-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const store = new ChunkStore(join(folder, "chunks"));
    const manifestPaths: string[] = [];
    // The third is the smallest: its pair is free first.
    for (const [index, mib] of [12, 10, 4, 8, 2].entries()) {
      const disk = join(folder, "disk.img");
      writeFileSync(disk, randomBytes(mib << 20));
      const path = join(folder, `${index}.json`);
      const { manifestText } = await importRawDisk(
        store,
        { path: disk, name: `disk-${index}` },
        () => undefined,
      );
      writeFileSync(path, manifestText);
      manifestPaths.push(path);
    }
    const hosts = new NetworkHosts(t);
    hosts.segment("room", [
      { host: "sender", interfaceName: "eth0", address: "10.8.0.1/24" },
      { host: "a", interfaceName: "eth0", address: "10.8.0.2/24" },
      { host: "b", interfaceName: "eth0", address: "10.8.0.3/24" },
    ]);
    const namespaces = ["a", "b"].map((host) => hosts.namespace(host)).join(",");
    const output = hosts.run("sender", process.execPath, [
      ...["--disable-warning=ExperimentalWarning", "test/imaging/send-many-sessions.ts"],
      ...[join(folder, "chunks"), namespaces, ...manifestPaths],
    ]);
    const [joined, ended] = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Printed);
    assert.ok(joined !== undefined && ended !== undefined, output);
    assert.deepEqual(ended.failed, []);

    const pairs = joined.sessions.map(({ pair }) => (pair === null ? null : `${pair.group}:${pair.port}`));
    assert.deepEqual(pairs, ["224.2.0.2:401", "224.2.0.3:401", "224.2.0.2:402", "224.2.0.3:402", null]);
    assert.deepEqual(
      joined.sessions.map(({ state }) => state),
      ["sending", "sending", "sending", "sending", "waiting-for-group"],
    );

    const fifth = ended.sessions[4];
    const freedFirst = ended.sessions
      .slice(0, 4)
      .toSorted((one, other) => (one.endedAtMs ?? 0) - (other.endedAtMs ?? 0))[0];
    assert.deepEqual(fifth?.pair, freedFirst?.pair);
    assert.ok((fifth?.startedAtMs ?? 0) >= (freedFirst?.endedAtMs ?? Number.POSITIVE_INFINITY));

    assert.equal(Object.keys(ended.complete).length, 10);
    for (const [computer, { isComplete, packetCount, refusedCount }] of Object.entries(ended.complete)) {
      assert.ok(isComplete, computer);
      assert.ok(packetCount > 1000, `${computer} took ${packetCount} datagrams`);
      assert.equal(refusedCount, 0, `${computer} heard datagrams of another session`);
    }
    assert.deepEqual(
      ended.sessions.flatMap(({ movedToUnicast }) => movedToUnicast),
      [],
    );
    const copies = ended.sessions.map(({ sentBytes, copyBytes }) => (sentBytes / copyBytes).toFixed(2));
    t.diagnostic(
      `copies on the wire by session: ${copies.join(", ")}; the fifth took ${fifth?.pair?.group}:${fifth?.pair?.port}`,
    );
  },
);
