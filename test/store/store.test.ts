import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type BootEvent, bootEvent } from "#engine/boot/boot-event.ts";
import { plainJob, type Job } from "#engine/job/job.ts";
import type { Assigning } from "#engine/job/occurrence.ts";
import { createRun, type Run } from "#engine/job/run.ts";
import { sql } from "kysely";
import { AccountStore } from "#store/account-store.ts";
import { AuditStore } from "#store/audit-store.ts";
import { toStoredBootEvent } from "#server/handlers/boot-handlers.ts";
import { BootEventStore } from "#store/boot-event-store.ts";
import { ComputerEventStore } from "#store/computer-event-store.ts";
import { ComputerStore, type StoredComputer } from "#store/computer-store.ts";
import { type Database, openDatabase } from "#store/database.ts";
import { GroupStore } from "#store/group-store.ts";
import { ImageStore, type StoredImage } from "#store/image-store.ts";
import { InstallerStore, type StoredInstaller } from "#store/installer-store.ts";
import { JobStore } from "#store/job-store.ts";
import { LeaseStore } from "#store/lease-store.ts";
import { PackageStore, type StoredPackage } from "#store/package-store.ts";
import { SiteStore } from "#store/site-store.ts";
import { StoreError, type StoreErrorCode } from "#store/store-error.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { startPostgres, type PostgresFixture } from "./postgres-fixture.ts";

const nowMs = 1_795_000_000_000;

function computer(id: string, changes: Partial<StoredComputer> = {}): StoredComputer {
  return {
    id,
    name: `room-${id} – „größer“`,
    state: "pending",
    reason: null,
    uuid: "4c4c4544-0042-3510-8054-b7c04f4e4d31",
    serial: "SN'; drop table computers; --",
    macs: [MacAddress.parse("52:54:00:00:00:01"), MacAddress.parse("52:54:00:00:00:02")],
    inventory: null,
    address: null,
    osKeyFingerprint: null,
    osKeyAtMs: null,
    approvedKeyFingerprint: null,
    waitingKeyFingerprint: null,
    deployedAtMs: null,
    lastSeenAtMs: nowMs,
    revokedAtMs: null,
    initialAskedAtMs: null,
    createdAtMs: nowMs,
    ...changes,
  };
}

const job: Job = {
  ...plainJob("j1", "room", [{ kind: "restart", name: "again" }], nowMs),
  conditions: [
    {
      name: "thin",
      when: [[{ fact: "memoryBytes", test: { type: "compare", operator: "<", value: 4 } }]],
      tasks: [{ kind: "inventory" }],
    },
  ],
  concurrency: 3,
};

function assigning(...runs: Run[]): Assigning {
  return { assignment: { computerIds: ["a", "b"], occurrence: 1, nextAtMs: nowMs + 7 }, runs };
}

function image(id: string, name: string): StoredImage {
  return {
    id,
    name,
    sizeBytes: 9_007_199_254_740_991,
    chunkSizeBytes: 1 << 20,
    chunkCount: 5_000_000_000,
    dataChunkCount: 3,
    createdAtMs: nowMs,
    signature: "{}",
    storedBytes: 9_007_199_254_740_991,
    source: "imported",
  };
}

function mac(digit: number): MacAddress {
  return MacAddress.parse(`52:54:00:00:00:0${digit}`);
}

const auditEntry = {
  atMs: nowMs,
  actor: "bob",
  actorType: "user",
  action: "wakeComputer",
  outcome: "done" as const,
  detail: null,
  address: "192.0.2.1",
};

function bootEventOf(computerId: string | null): BootEvent {
  const where = { interfaceName: "eth1", serverAddress: Ipv4Address.parse("10.9.0.1") };
  return bootEvent({ atMs: nowMs, stage: "discover", mac: mac(1), computerId, ...where });
}

function hasCode(code: StoreErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof StoreError && error.code === code;
}

/** One dialect: gives a new empty database, or skips with a sentence. */
type Ground = {
  readonly name: string;
  readonly open: (t: TestContext) => Promise<Database | null>;
  /** Opens the database of the last `open` once more. */
  readonly reopen: () => Promise<Database>;
};

let postgres: PostgresFixture | string = "not started";
let folder = "";
let lastUrl = "";

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "portolan-store-"));
  postgres = await startPostgres();
});
after(async () => {
  if (typeof postgres !== "string") {
    await postgres.stop();
  }
  rmSync(folder, { recursive: true, force: true });
});

let fileCount = 0;
const grounds: readonly Ground[] = [
  {
    name: "SQLite",
    async open() {
      fileCount += 1;
      lastUrl = `sqlite:${join(folder, `site${fileCount}.db`)}`;
      return openDatabase(lastUrl, folder);
    },
    reopen: () => openDatabase(lastUrl, folder),
  },
  {
    name: "PostgreSQL",
    async open(t) {
      if (typeof postgres === "string") {
        t.skip(postgres);
        return null;
      }
      lastUrl = await postgres.createDatabase();
      return openDatabase(lastUrl, folder);
    },
    reopen: () => openDatabase(lastUrl, folder),
  },
];

function testOn(ground: Ground, name: string, body: (db: Database) => Promise<void>): void {
  test(name, async (t) => {
    const db = await ground.open(t);
    if (db !== null) {
      try {
        await body(db);
      } finally {
        await db.destroy();
      }
    }
  });
}

for (const ground of grounds) {
  describe(`store on ${ground.name}`, () => {
    testOn(ground, "computers come back as they were put, and hostile text stays text", async (db) => {
      const store = new ComputerStore(db);
      await store.put(computer("a"));
      await store.put(computer("b", { createdAtMs: nowMs + 1, deployedAtMs: nowMs, osKeyAtMs: nowMs }));
      await store.put(computer("a", { state: "approved", reason: null, osKeyFingerprint: "f".repeat(64) }));
      assert.deepEqual(await store.list(), [
        computer("a", { state: "approved", osKeyFingerprint: "f".repeat(64) }),
        computer("b", { createdAtMs: nowMs + 1, deployedAtMs: nowMs, osKeyAtMs: nowMs }),
      ]);
      await store.remove("a");
      assert.deepEqual(
        (await store.list()).map(({ id }) => id),
        ["b"],
      );
    });

    testOn(ground, "what was put is there after the database was opened anew", async (db) => {
      await new ComputerStore(db).put(computer("a"));
      const again = await ground.reopen();
      try {
        assert.deepEqual(await new ComputerStore(again).list(), [computer("a")]);
      } finally {
        await again.destroy();
      }
    });

    testOn(
      ground,
      "an image is found by id, its beginning and its name; sizes keep every bit",
      async (db) => {
        const store = new ImageStore(db);
        const id = "ab".repeat(32);
        await store.put(image(id, "debian"), '{"version":1}');
        assert.deepEqual({ ...(await store.find(id)) }, image(id, "debian"));
        assert.equal((await store.find("debian")).id, id);
        assert.equal((await store.find(id.slice(0, 8))).id, id);
        assert.equal(await store.readManifest(id), '{"version":1}');
        await assert.rejects(store.find(id.slice(0, 7)), hasCode("not-found"));
        await assert.rejects(store.readManifest("nothing"), hasCode("not-found"));
        await store.put(image("cd".repeat(32), "debian"), "{}");
        assert.deepEqual(
          (await store.list()).map((found) => found.id),
          ["cd".repeat(32)],
        );
      },
    );

    testOn(ground, "a job and its runs are stored together or not at all", async (db) => {
      const store = new JobStore(db);
      const run = createRun("j1", "a", nowMs);
      await store.insertJob(job, assigning(run, createRun("j1", "b", nowMs)));
      const stored = [{ job, assignment: assigning().assignment }];
      assert.deepEqual(await store.listJobs(), stored);
      const twice = { ...job, id: "j2" };
      const same = createRun("j2", "a", nowMs);
      await assert.rejects(store.insertJob(twice, assigning(same, same)), hasCode("conflict"));
      assert.deepEqual(await store.listJobs(), stored, "the second job left nothing behind");
      const next = { ...run, state: "waking" as const, deadlineAtMs: nowMs + 1, updatedAtMs: nowMs + 0.5 };
      await store.putRun(next, true);
      assert.deepEqual(
        (await store.listRuns()).sort((a, b) => a.id.localeCompare(b.id)),
        [next, createRun("j1", "b", nowMs)],
      );
      assert.deepEqual(
        (await store.listSteps("j1.a")).map(({ state, atMs }) => ({ state, atMs })),
        [
          { state: "queued", atMs: nowMs },
          { state: "waking", atMs: Math.round(nowMs + 0.5) },
        ],
        "its history",
      );
    });

    testOn(ground, "a job that begins again gets its new runs and its next time together", async (db) => {
      const store = new JobStore(db);
      await store.insertJob(job, assigning());
      const again = { computerIds: ["a"], occurrence: 2, nextAtMs: null };
      const run = createRun("j1", "a", nowMs, 2);
      await store.assign("j1", { assignment: again, runs: [run] });
      assert.deepEqual(await store.listRuns(), [run]);
      assert.deepEqual((await store.listJobs())[0]?.assignment, again);
      await assert.rejects(
        store.assign("j1", { assignment: { ...again, occurrence: 3 }, runs: [run] }),
        hasCode("conflict"),
      );
      assert.deepEqual((await store.listJobs())[0]?.assignment, again);
    });

    testOn(
      ground,
      "packages: one of each name and version, found by name, and their content stays",
      async (db) => {
        const store = new PackageStore(db);
        await store.putContent("c1", "{}", 5, nowMs);
        await store.putContent("c1", "{}", 5, nowMs);
        const stored = (id: string, version: string, createdAtMs: number): StoredPackage => ({
          ...{ id, contentId: "c1", sizeBytes: 5, createdAtMs },
          definition: {
            ...{ name: "tool", version, kind: "deb", fileName: "t.deb", args: [], uninstall: [] },
            ...{ detection: { type: "record" }, dependsOn: [], timeoutMs: 1 },
          },
        });
        await store.put(stored("p1", "1", nowMs));
        await store.put(stored("p2", "2", nowMs + 1));
        await store.put(stored("p3", "1", nowMs + 2));
        assert.deepEqual(
          (await store.list()).map(({ id }) => id),
          ["p3", "p2"],
        );
        assert.equal((await store.find("tool")).id, "p3");
        assert.equal((await store.find("tool=2")).id, "p2");
        await store.remove("p3");
        await assert.rejects(store.find("p3"), hasCode("not-found"));
        assert.deepEqual(await store.listManifests(), ["{}"]);
        await store.addUserData("a", "home", "c1", nowMs);
        assert.deepEqual(await store.findUserData("a", "home"), { contentId: "c1", sizeBytes: 5 });
        assert.equal(await store.findUserData("b", "home"), null);
      },
    );

    testOn(
      ground,
      "installers: one of each name, found by name or id, and their content stays",
      async (db) => {
        const contents = new PackageStore(db);
        await contents.putContent("c1", "{}", 5_000_000_000, nowMs);
        const store = new InstallerStore(db);
        const stored = (id: string, name: string, createdAtMs: number): StoredInstaller => ({
          ...{ id, contentId: "c1", sizeBytes: 5_000_000_000, createdAtMs },
          definition: {
            ...{ name, description: "–'; drop", commandLine: "auto=true", kernelSizeBytes: 8_000_000 },
            ...{ kernelSha256: "a", initrdSha256: "b", kernelVersion: null, isSigned: true },
          },
        });
        await store.put(stored("n1", "debian", nowMs));
        await store.put(stored("n2", "fedora", nowMs + 1));
        await store.put(stored("n3", "debian", nowMs + 2));
        assert.deepEqual(await store.list(), [
          stored("n3", "debian", nowMs + 2),
          stored("n2", "fedora", nowMs + 1),
        ]);
        assert.equal((await store.find("debian")).id, "n3");
        assert.equal((await store.find("n2")).definition.name, "fedora");
        await store.remove("n3");
        await assert.rejects(store.find("debian"), hasCode("not-found"));
        assert.deepEqual(await contents.listManifests(), ["{}"]);
      },
    );

    testOn(
      ground,
      "the end of an imaging task and its computer's deployment are one transaction",
      async (db) => {
        const computers = new ComputerStore(db);
        const jobs = new JobStore(db);
        const run = createRun("j1", "a", nowMs);
        await computers.put(computer("a"));
        await jobs.insertJob(job, assigning(run));
        await jobs.putRunWithDeployment({ ...run, hasRestored: true }, nowMs + 5);
        assert.equal((await computers.list())[0]?.deployedAtMs, nowMs + 5);
        assert.equal((await jobs.listRuns())[0]?.hasRestored, true);
      },
    );

    testOn(ground, "settings and the site's key: the first writer of the key wins", async (db) => {
      const site = new SiteStore(db);
      const keys = await Promise.all(
        ["one", "two", "three"].map((key) => site.readOrCreate("siteKey", () => Promise.resolve(key))),
      );
      assert.equal(new Set(keys).size, 1, "three servers that start together agree");
      await site.writeSetting("imaging.ttl", "8");
      await site.writeSetting("imaging.ttl", "9");
      assert.deepEqual(await site.readSettings(), { "imaging.ttl": "9" });
      await site.clearSettings();
      assert.deepEqual(await site.readSettings(), {});
      assert.equal(await site.read("siteKey"), keys[0]);
    });

    testOn(ground, "boot events are listed newest first, of all or of some cards", async (db) => {
      const store = new BootEventStore(db);
      const events = [1, 2, 1].map((digit, index) =>
        bootEvent({
          atMs: nowMs + index + 0.25,
          stage: "discover",
          interfaceName: "eth0",
          serverAddress: Ipv4Address.parse("192.168.0.1"),
          outcome: "ignored",
          reason: "rate-limited",
          mac: mac(digit),
        }),
      );
      await store.insert(events.map(toStoredBootEvent));
      assert.deepEqual(
        (await store.list(null)).map(({ atMs }) => atMs),
        [nowMs + 2, nowMs + 1, nowMs],
      );
      assert.deepEqual(
        (await store.list([mac(1)])).map(({ atMs }) => atMs),
        [nowMs + 2, nowMs],
      );
      assert.deepEqual(await store.list([]), []);
      assert.equal((await store.list(null, { limit: 1 })).length, 1);
      assert.deepEqual(
        (await store.list(null, { before: nowMs + 2 })).map(({ atMs }) => atMs),
        [nowMs + 1, nowMs],
      );
    });

    testOn(ground, "leases are kept by address, for each server its own", async (db) => {
      const address = Ipv4Address.parse("10.9.0.100");
      const lease = { address, mac: mac(1), state: "bound", untilMs: nowMs } as const;
      const [store, other] = [new LeaseStore(db, "one"), new LeaseStore(db, "two")];
      await store.put(lease);
      await other.put({ ...lease, mac: mac(2) });
      await store.put({ ...lease, mac: null, state: "declined", untilMs: nowMs + 0.5 });
      assert.deepEqual(await store.list(), [{ ...lease, mac: null, state: "declined", untilMs: nowMs + 1 }]);
      assert.deepEqual(await other.list(), [{ ...lease, mac: mac(2) }]);
    });

    testOn(
      ground,
      "groups: a computer is in one, moves are whole, and what a removed one held goes up",
      async (db) => {
        const store = new GroupStore(db);
        const [top, lab] = [
          { id: "g-1", name: "Building", parentId: null },
          { id: "g-2", name: "LAB1 – „größer“", parentId: "g-1" },
        ];
        await store.put({ ...top, name: "before" });
        await store.put(top);
        await store.put(lab);
        await store.put({ id: "g-3", name: "Row", parentId: "g-2" });
        const many = Array.from({ length: 12_000 }, (_, index) => `c${index}`);
        await store.move(many, "g-1");
        await store.move(["c0", "c1"], "g-2");
        await store.move(["c2"], null);
        const groupOf = async (): Promise<ReadonlyMap<string, string>> =>
          new Map((await store.listMembers()).map(({ computerId, groupId }) => [computerId, groupId]));
        const members = await groupOf();
        assert.deepEqual([members.size, members.get("c1"), members.get("c3")], [11_999, "g-2", "g-1"]);
        // SQLite's rows have no prototype.
        const list = async (): Promise<unknown> => (await store.list()).map((group) => ({ ...group }));
        await store.remove("g-2", "g-1");
        assert.deepEqual(await list(), [top, { id: "g-3", name: "Row", parentId: "g-1" }]);
        assert.equal((await groupOf()).get("c1"), "g-1");
        await store.remove("g-1", null);
        assert.deepEqual(await groupOf(), new Map());
        assert.deepEqual(await list(), [{ id: "g-3", name: "Row", parentId: null }]);
      },
    );

    testOn(ground, "a computer goes with its place in a group, or neither goes", async (db) => {
      const [computers, groups] = [new ComputerStore(db), new GroupStore(db)];
      await computers.put(computer("a"), computer("b"));
      await groups.put({ id: "g-1", name: "LAB1", parentId: null });
      await groups.move(["a", "b"], "g-1");
      await computers.remove("a");
      const members = async (): Promise<string[]> =>
        (await groups.listMembers()).map(({ computerId }) => computerId);
      assert.deepEqual(await members(), ["b"]);
      await db.schema.dropTable("computers").execute();
      await assert.rejects(computers.remove("b"));
      assert.deepEqual(await members(), ["b"]);
    });

    testOn(
      ground,
      "accounts and tokens of an older database have the whole site, and keep their groups",
      async (db) => {
        // As it was before migration 0210.
        for (const table of ["users", "apiTokens"] as const) {
          await db.schema.alterTable(table).dropColumn("groupIds").execute();
        }
        await sql`delete from kysely_migration where name = '0210-account-groups'`.execute(db);
        const user = {
          id: "u-1",
          name: "ann",
          role: "operator",
          passwordHash: null,
          createdAtMs: nowMs,
          lastLoginAtMs: null,
        };
        await db.insertInto("users").values(user).execute();
        const again = await ground.reopen();
        try {
          const store = new AccountStore(again);
          assert.deepEqual((await store.findUser("ann"))?.groupIds, null);
          await store.updateUser("u-1", { groupIds: ["g-1", "g-2"] });
          await store.updateUser("u-1", { role: "viewer" });
          const [listed] = await store.listUsers();
          assert.deepEqual([listed?.role, listed?.groupIds], ["viewer", ["g-1", "g-2"]]);
          await store.updateUser("u-1", { groupIds: null });
          assert.equal((await store.findUser("u-1"))?.groupIds, null);
          const token = {
            id: "t-1",
            name: "ci",
            userId: "u-1",
            role: "viewer",
            secretHash: "h",
            allowsFleetWork: 0,
          };
          const times = { createdAtMs: nowMs, expiresAtMs: null, lastUsedAtMs: null };
          await store.insertToken({ ...token, ...times, groupIds: [] });
          assert.deepEqual(
            (await store.findToken("h"))?.groupIds,
            [],
            "limited to nothing, not to everything",
          );
          assert.deepEqual((await store.listTokens())[0]?.groupIds, []);
        } finally {
          await again.destroy();
        }
      },
    );

    testOn(
      ground,
      "events and the audit log of some groups hold what was on computers in them",
      async (db) => {
        const groups = new GroupStore(db);
        await groups.put({ id: "g-1", name: "LAB1", parentId: null });
        await groups.move(["a"], "g-1");
        const inside = new Set(["g-1"]);
        const [boots, history, audit] = [
          new BootEventStore(db),
          new ComputerEventStore(db),
          new AuditStore(db),
        ];
        for (const computerId of ["a", "b", null]) {
          await boots.insert([toStoredBootEvent(bootEventOf(computerId))]);
          await history.insert({ atMs: nowMs, computerId, kind: "wake", detail: "" });
          await audit.insert({ ...auditEntry, target: computerId });
        }
        assert.deepEqual(
          [await boots.list(inside), await history.list(inside)].map((events) =>
            events.map(({ computerId }) => computerId),
          ),
          [["a"], ["a"]],
        );
        assert.deepEqual([await boots.list(new Set()), await history.list(new Set())], [[], []]);
        await audit.insert({ ...auditEntry, target: "g-1" });
        await audit.insert({ ...auditEntry, target: "b", actor: "ann" });
        await audit.insert({ ...auditEntry, target: "b", actor: "ann", actorType: "token" });
        const listed = await audit.list({ limit: 10, inside: { groupIds: inside, ownName: "ann" } });
        assert.deepEqual(
          listed.map(({ actor, target }) => [actor, target]),
          [
            ["ann", "b"],
            ["bob", "g-1"],
            ["bob", "a"],
          ],
        );
        const others = await audit.list({ limit: 10, inside: { groupIds: new Set(), ownName: null } });
        assert.deepEqual(others, []);
      },
    );

    testOn(ground, "many writers at once lose nothing", async (db) => {
      const store = new ComputerStore(db);
      const ids = Array.from({ length: 100 }, (_, index) => `c${index}`);
      await Promise.all(ids.map((id) => store.put(computer(id))));
      assert.deepEqual(new Set((await store.list()).map(({ id }) => id)), new Set(ids));
    });
  });
}

test("PostgreSQL that goes away is named, and used again when it is back", async (t) => {
  if (typeof postgres === "string") {
    t.skip(postgres);
    return;
  }
  const url = await postgres.createDatabase();
  const db = await openDatabase(url, folder);
  t.after(() => db.destroy());
  const store = new ComputerStore(db);
  await store.put(computer("before"));
  await postgres.kill();
  await assert.rejects(store.put(computer("during")), hasCode("unavailable"));
  await assert.rejects(openDatabase(url, folder), hasCode("unavailable"));
  await postgres.restart();
  await store.put(computer("after"));
  assert.deepEqual(
    (await store.list()).map(({ id }) => id).sort(),
    ["after", "before"],
    "what was acknowledged survived the crash, what was refused is not there",
  );
});

test("a full disk under SQLite is named, changes nothing, and is over when there is space", async (t) => {
  if (process.getuid?.() !== 0) {
    t.skip("a small file system of its own can only be mounted by root");
    return;
  }
  const disk = mkdtempSync(join(tmpdir(), "portolan-full-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
  if (mounted.status !== 0) {
    t.skip("this machine does not allow mounting a tmpfs");
    return;
  }
  t.after(() => {
    execFileSync("umount", [disk]);
    rmSync(disk, { recursive: true });
  });
  const db = await openDatabase("sqlite:", disk);
  const store = new ComputerStore(db);
  await store.put(computer("small"));
  const filler = join(disk, "filler");
  spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4k"], { stdio: "ignore" });
  await assert.rejects(
    store.put(computer("large", { reason: "x".repeat(200_000) })),
    (error: unknown) =>
      error instanceof StoreError && error.code === "disk-full" && /full/.test(error.message),
  );
  rmSync(filler);
  await store.put(computer("after"));
  assert.deepEqual((await store.list()).map(({ id }) => id).sort(), ["after", "small"]);
  await db.destroy();
});

test("a server killed in the middle of writing loses nothing it acknowledged", async () => {
  const path = join(folder, "killed.db");
  const acknowledgedPath = join(folder, "acknowledged");
  // Acknowledged in a file, since a pipe that is full keeps the last of them in the program that is killed.
  const program = `
    const { openSync, writeSync } = await import("node:fs");
    const { openDatabase } = await import("#store/database.ts");
    const { SiteStore } = await import("#store/site-store.ts");
    const site = new SiteStore(await openDatabase("sqlite:${path}", "${folder}"));
    const acknowledged = openSync("${acknowledgedPath}", "w");
    for (let count = 1; ; count += 1) {
      await site.write("count", String(count));
      writeSync(acknowledged, String(count), 0);
    }`;
  const lastAcknowledged = (): number =>
    existsSync(acknowledgedPath) ? Number(readFileSync(acknowledgedPath, "utf8")) : 0;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    cwd: new URL("../..", import.meta.url).pathname,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (part: Buffer) => (said += part.toString("utf8")));
  const ended = once(child, "exit");
  while (lastAcknowledged() < 50 && child.exitCode === null) {
    await delay(5);
  }
  child.kill("SIGKILL");
  await ended;
  const acknowledged = lastAcknowledged();
  assert.ok(acknowledged >= 50, `only ${acknowledged} writes: ${said}`);
  const db = await openDatabase(`sqlite:${path}`, folder);
  const stored = Number(await new SiteStore(db).read("count"));
  await db.destroy();
  assert.ok(stored === acknowledged || stored === acknowledged + 1, `${stored} of ${acknowledged}`);
});

test("the SQLite file is for its owner only, and what is no database is named", async () => {
  const path = join(folder, "private.db");
  const db = await openDatabase(`sqlite:${path}`, folder);
  await new SiteStore(db).write("siteKey", "secret");
  assert.equal(statSync(path).mode & 0o077, 0);
  await db.destroy();
  const text = join(folder, "text.db");
  writeFileSync(text, "this is a text and no database at all".repeat(200));
  const codeOf = async (url: string): Promise<string> => {
    try {
      await (await openDatabase(url, folder)).destroy();
      return "opened";
    } catch (error) {
      return error instanceof StoreError ? error.code : String(error);
    }
  };
  assert.equal(await codeOf(`sqlite:${text}`), "damaged");
  assert.equal(await codeOf("mysql://nobody"), "bad-url");
  assert.equal(await codeOf(`sqlite:${join(text, "below-a-file.db")}`), "unavailable");
});
