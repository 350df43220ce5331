import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "#platform/clock.ts";
import { ComputerStore } from "#store/computer-store.ts";
import { openDatabase } from "#store/database.ts";
import type { EnrollMessage } from "#wire/control/message.ts";
import { createComputerDirectory } from "./computer-directory.ts";
import { ComputerRegistry } from "./computer-registry.ts";

/** What a computer says when it asks to be let in; only its identity matters here. */
function enrolment(mac: string, uuid: string, serial: string): EnrollMessage {
  const inventory = { macs: [mac], uuid, serial, addresses: [] } as unknown as EnrollMessage["inventory"];
  return {
    type: "enroll",
    environment: "preboot",
    publicKey: "",
    proof: "",
    bootToken: "token",
    enrolmentToken: null,
    inventory,
  };
}

const first = enrolment("52:54:00:00:00:01", "4c4c4544-0042-3510-8054-b7c04f4e4d31", "SN1");
const other = enrolment("52:54:00:00:00:03", "4c4c4544-0042-3510-8054-b7c04f4e4d33", "SN3");
const copy = enrolment("52:54:00:00:00:02", "4c4c4544-0042-3510-8054-b7c04f4e4d31", "SN2");

async function prepare(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "portolan-registry-"));
  const db = await openDatabase("sqlite:", folder);
  const store = new ComputerStore(db);
  /** Slow like a database across a network, so that writes could overtake each other. */
  const slowStore = {
    list: () => store.list(),
    remove: (id: string) => store.remove(id),
    put: async (...computers: Parameters<ComputerStore["put"]>) => {
      await sleep(5 * Math.random());
      await store.put(...computers);
    },
  } as ComputerStore;
  const directory = createComputerDirectory();
  const create = (): ComputerRegistry =>
    new ComputerRegistry({
      store: slowStore,
      directory,
      clock: systemClock,
      findLink: () => null,
      hasPrebootWork: () => false,
      installingSinceMs: () => null,
      inviteFor: () => Promise.resolve({ kind: null, redeem: () => Promise.resolve(true) }),
      onEnrolled: () => undefined,
      onPublished: () => undefined,
      checkBootToken: (token) => (token === "token" ? "valid" : "absent"),
    });
  t.after(async () => {
    await db.destroy();
    rmSync(folder, { recursive: true });
  });
  return { store, directory, create, registry: create() };
}

test("a new computer is stored with its first contact, is let in after approval, and outlives the server", async (t) => {
  const { store, directory, create, registry } = await prepare(t);
  const answers = await Promise.all([registry.enrol(first, "k1"), registry.enrol(first, "k1")]);
  assert.deepEqual(
    answers.map(({ type }) => type),
    ["pending", "pending"],
  );
  const [stored, ...others] = await store.list();
  assert.deepEqual(others, [], "two connections of one computer make one record");
  assert.equal(stored?.state, "pending");
  await registry.approve(stored?.id ?? "");
  assert.equal((await registry.enrol(first, "k1")).type, "enrolled");
  const later = create();
  await later.load();
  assert.equal((await later.enrol(first, "k2")).type, "enrolled", "the next boot of an approved computer");
  assert.equal(directory.get(stored?.id ?? "")?.state, "approved");
});

test("a new computer approved while it is off is due for Initial Deployment, until it has a system of its own", async (t) => {
  const { directory, registry } = await prepare(t);
  await registry.enrol({ ...first, bootToken: null }, "k1");
  const id = registry.list()[0]?.id ?? "";
  await registry.approve(id);
  assert.deepEqual(
    [directory.get(id)?.state, directory.get(id)?.work],
    ["approved", "initial-deployment"],
    "its next network boot is answered",
  );
  await registry.enrol({ ...first, environment: "os", bootToken: null }, "k1");
  assert.equal(directory.get(id)?.work, "none");

  await registry.enrol({ ...other, environment: "os", bootToken: null }, "k3");
  const [, installed] = registry.list();
  await registry.approve(installed?.id ?? "");
  assert.equal(directory.get(installed?.id ?? "")?.work, "none", "it came with a system of its own");
});

test("a copied UUID puts the computer on hold, in the store and for boot services, and says why", async (t) => {
  const { store, directory, registry } = await prepare(t);
  await registry.enrol(first, "k1");
  const id = registry.list()[0]?.id ?? "";
  await registry.approve(id);
  const answer = await registry.enrol(copy, "k2");
  assert.equal(answer.type, "pending");
  const [stored] = await store.list();
  assert.equal(stored?.state, "conflict");
  assert.match(stored?.reason ?? "", /same UUID/);
  assert.equal(directory.get(id)?.state, "conflict");
});

test("changes of one computer at the same time all last, and a forgotten one does not come back", async (t) => {
  const { store, registry } = await prepare(t);
  await registry.enrol(first, "k1");
  const id = registry.list()[0]?.id ?? "";
  await Promise.all([
    registry.update(id, { deployedAtMs: 7 }),
    registry.approve(id),
    registry.update(id, { address: "10.0.0.9" }),
  ]);
  const [stored] = await store.list();
  assert.deepEqual([stored?.deployedAtMs, stored?.state, stored?.address], [7, "approved", "10.0.0.9"]);
  const late = registry.update(id, { address: "10.0.0.10" });
  await Promise.all([late, registry.forget(id)]);
  assert.deepEqual(await store.list(), []);
});
