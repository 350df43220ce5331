import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { type HostProcess, NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { PlanServer } from "../plan/plan-site.ts";
import { type PostgresFixture, startPostgres } from "../store/postgres-fixture.ts";
import { run } from "./imaging-site.ts";

const obstacle = networkTestObstacle("ip", "losetup");
const chunkCount = 24;
const diskBytes = randomBytes(chunkCount << 20);
let postgres: PostgresFixture | string = "not started";

before(async () => {
  postgres = obstacle ?? (await startPostgres());
});

after(async () => {
  if (typeof postgres !== "string") {
    await postgres.stop();
  }
});

type Site = {
  readonly hosts: NetworkHosts;
  readonly folder: string;
  readonly ds1: PlanServer;
  readonly ds2: PlanServer;
};

/** ds1 has the image `office` in its store; ds2, on the same database, has nothing. */
async function createSite(t: TestContext, fixture: PostgresFixture): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-other-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const hosts = new NetworkHosts(t);
  hosts.segment(
    "room",
    ["ds1", "ds2", "pc1"].map((host, index) => ({
      ...{ host, interfaceName: "eth0", address: `10.9.0.${index + 1}/24` },
    })),
  );
  const url = await fixture.createDatabase();
  const start = async (name: string): Promise<PlanServer> => {
    const config = `[server]\nname = "${name}"\n[database]\nurl = "${url}"\n`;
    const server = new PlanServer(t, { hosts, host: name, interfaces: "eth0", config });
    await server.start();
    return server;
  };
  const site = { hosts, folder, ds1: await start("ds1"), ds2: await start("ds2") };
  const path = join(folder, "office.raw");
  writeFileSync(path, diskBytes);
  site.ds1.json("image", "import", path, "office");
  return site;
}

function chunkFiles({ dataDir }: PlanServer): string[] {
  const folder = join(dataDir, "chunks");
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return names.filter((name) => name.endsWith(".zst")).map((name) => join(folder, name));
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const startedAtMs = performance.now();
  while (!condition()) {
    assert.ok(performance.now() - startedAtMs < 120_000, `${what}: not so within 120 s`);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

function lackingCount(server: PlanServer): number {
  return (server.json("image", "show", "office") as { lackingChunkCount: number }).lackingChunkCount;
}

/** A computer in preboot that is connected to ds2. */
async function startComputer(
  { hosts, ds2 }: Site,
  device: string,
): Promise<{ id: string; agent: HostProcess }> {
  const { siteKeyFingerprint } = ds2.json("status") as { siteKeyFingerprint: string };
  const agent = hosts.start("pc1", process.execPath, [
    ...["--disable-warning=ExperimentalWarning", "test/imaging/run-agent.ts", "--server", "10.9.0.2"],
    ...[
      "--site-key",
      siteKeyFingerprint,
      "--disk",
      device.replace("/dev/", ""),
      "--mac",
      "52:54:00:00:09:01",
    ],
  ]);
  await agent.waitFor("waiting for approval", 60_000);
  const [computer] = ds2.json("computer", "list") as { id: string }[];
  const id = computer?.id ?? "";
  ds2.cli("computer", "approve", id);
  await agent.waitFor("connected as", 60_000);
  return { id, agent };
}

test(
  "other server: an image is fetched from the server that has it, goes on after that one was killed, and damage is named",
  { timeout: 600_000 },
  async (t) => {
    if (typeof postgres === "string") {
      t.skip(postgres);
      return;
    }
    const { hosts, folder, ds1, ds2 } = await createSite(t, postgres);
    assert.deepEqual([lackingCount(ds1), lackingCount(ds2)], [0, chunkCount]);
    ds1.json("settings", "set", "transfer.maxMbps", "40", "--server", "ds1");
    const fetching = hosts.start("ds2", "bin/portolan", ["image", "fetch", "office", "--data", ds2.dataDir]);
    await until("some chunks have come", () => chunkFiles(ds2).length >= 4);
    await ds1.stop("SIGKILL");
    const keptCount = chunkFiles(ds2).length;
    assert.ok(keptCount < chunkCount, "it was killed in the middle");
    await ds1.start();
    await fetching.waitFor(`fetch office: done; ${chunkCount} chunks came from other servers`, 120_000);
    t.diagnostic(`${keptCount} of ${chunkCount} chunks had come before the other server was killed`);
    assert.equal(lackingCount(ds2), 0);
    ds2.json("image", "verify", "office");
    const copy = join(folder, "copy.raw");
    ds2.json("image", "export", "office", copy);
    assert.equal(hash("sha256", readFileSync(copy)), hash("sha256", diskBytes));

    const [file = ""] = chunkFiles(ds1);
    writeFileSync(file, randomBytes(1000));
    rmSync(file.replace(ds1.dataDir, ds2.dataDir));
    const failed = ds2.cli("image", "fetch", "office");
    assert.equal(failed.status, 1);
    assert.match(failed.stdout, /1 chunks are not in the store of ds2: 1 are damaged in the store of ds1/);
    assert.equal(chunkFiles(ds2).length, chunkCount - 1, "nothing damaged was stored");
  },
);

test(
  "other server: a deployment fetches what its server lacks first; what nobody has is said",
  { timeout: 600_000 },
  async (t) => {
    if (typeof postgres === "string") {
      t.skip(postgres);
      return;
    }
    const site = await createSite(t, postgres);
    const { folder, ds1, ds2 } = site;
    const path = join(folder, "target.raw");
    writeFileSync(path, Buffer.alloc(diskBytes.byteLength));
    const device = run("losetup", "--find", "--show", path).trim();
    t.after(() => {
      run("losetup", "--detach", device);
    });
    const { id, agent } = await startComputer(site, device);
    site.hosts.start("ds2", "bin/portolan", ["deploy", "office", id, "--data", ds2.dataDir]);
    await agent.waitFor("task done", 180_000);
    run("blockdev", "--flushbufs", device);
    assert.equal(hash("sha256", readFileSync(path)), hash("sha256", diskBytes));
    assert.equal(chunkFiles(ds2).length, chunkCount);
    const [session] = ds2.json("session", "list") as { fetched: unknown }[];
    assert.deepEqual(session?.fetched, { doneCount: chunkCount, totalCount: chunkCount });

    [ds1, ds2].flatMap(chunkFiles).forEach((file) => rmSync(file));
    const failed = ds2.cli("image", "fetch", "office");
    assert.match(failed.stdout, /24 chunks are not in the store of ds2: ds1 has not all of them/);
  },
);
