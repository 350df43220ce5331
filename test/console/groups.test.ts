import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { type TestContext, test } from "node:test";
import type { ComputerResource } from "#api/computer-api.ts";
import type { GroupResource } from "#api/group-api.ts";
import type { JobResource } from "#api/job-api.ts";
import { startSimulatedRoom } from "#dev/simulated-room.ts";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { type Answer, ask, startSite } from "./console-site.ts";

type Ask = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** Four approved computers, and an administrator who asks. */
async function startRoom(
  t: TestContext,
): Promise<{ site: SimulatedSite; ids: readonly string[]; admin: Ask }> {
  const site = await startSite(t);
  const room = startSimulatedRoom(site, { count: 4, writeDelayMs: 1, areInstalled: false });
  t.after(() => room.forEach((computer) => computer.stop()));
  while (site.server.registry.list().length < 4) {
    await delay(20);
  }
  const ids = site.server.registry.list().map(({ id }) => id);
  for (const id of ids) {
    await site.server.registry.approve(id);
  }
  const headers = { authorization: `Bearer ${site.server.adminToken}` };
  const admin: Ask = (method, path, body) => ask(site, `/api/v1${path}`, { method, headers, body });
  return { site, ids, admin };
}

async function read<Value>(answer: Promise<Answer>): Promise<Value> {
  const { status, json, text } = await answer;
  assert.equal(status, 200, text);
  return json as Value;
}

function codeOf({ json }: Answer): string {
  return (json as { code: string }).code;
}

test("groups: a tree that holds computers, lists them with those nested, and gives them up unharmed", async (t) => {
  const { site, ids, admin } = await startRoom(t);
  const [first = "", second = "", third = ""] = ids;
  const building = await read<GroupResource>(admin("POST", "/groups", { name: "Building A" }));
  const lab = await read<GroupResource>(admin("POST", "/groups", { name: "LAB1", parent: "Building A" }));
  assert.deepEqual([lab.path, lab.parentId], ["Building A/LAB1", building.id]);
  assert.equal(codeOf(await admin("POST", "/groups", { name: "LAB1", parent: "Building A" })), "conflict");
  assert.equal(codeOf(await admin("PUT", `/groups/${building.id}`, { parent: lab.id })), "conflict");

  await read(admin("POST", "/computers/move", { computers: [first, second], group: "LAB1" }));
  await read(admin("POST", "/computers/move", { computers: [third], group: building.id }));
  const listed = (query: string): Promise<string[]> =>
    read<ComputerResource[]>(admin("GET", `/computers?group=${encodeURIComponent(query)}`)).then((all) =>
      all.map(({ id }) => id).toSorted(),
    );
  assert.deepEqual(await listed("Building A/LAB1"), [first, second].toSorted());
  assert.deepEqual(await listed("Building A"), [first, second, third].toSorted());
  assert.equal((await admin("GET", "/computers?group=LAB7")).status, 404);
  const counts = await read<GroupResource[]>(admin("GET", "/groups"));
  assert.deepEqual(
    counts.map(({ path, computerCount, nestedComputerCount }) => [path, computerCount, nestedComputerCount]),
    [
      ["Building A", 1, 3],
      ["Building A/LAB1", 2, 2],
    ],
  );

  assert.equal(
    (await admin("POST", "/computers/move", { computers: [first, "nobody"], group: null })).status,
    404,
  );
  assert.equal(site.server.groups.groupOf(first), lab.id, "all or none");
  await site.server.groups.load();
  assert.equal(site.server.groups.groupOf(first), lab.id, "it is in the store");

  await read(admin("DELETE", `/groups/${lab.id}`));
  assert.equal(site.server.groups.groupOf(first), building.id, "to the group it was in");
  await read(admin("DELETE", "/groups/Building A"));
  assert.equal(site.server.groups.groupOf(first), null);
  const entries = await site.server.audit.list({ limit: 50 });
  assert.deepEqual(
    ["addGroup", "moveComputers", "removeGroup"].map((action) =>
      entries.some((entry) => entry.action === action && entry.outcome === "done"),
    ),
    [true, true, true],
  );
});

test("groups: a job is for who is in a group when it is assigned, and an empty group is refused", async (t) => {
  const { ids, admin } = await startRoom(t);
  const [first = "", second = "", third = ""] = ids;
  await read(admin("POST", "/groups", { name: "LAB1" }));
  const task = { name: "later", tasks: [{ kind: "inventory" }], schedule: { at: "2099-01-01 08:00" } };
  assert.equal(codeOf(await admin("POST", "/jobs", { ...task, groups: ["LAB1"] })), "empty-group");
  await read(admin("POST", "/computers/move", { computers: [first, second], group: "LAB1" }));
  const preview = await read<{ computers: { computerId: string }[] }>(
    admin("POST", "/jobs/preview", { ...task, groups: ["LAB1"], computers: [first, third] }),
  );
  assert.deepEqual(
    preview.computers.map(({ computerId }) => computerId).toSorted(),
    [first, second, third].toSorted(),
    "each once",
  );
  const now = { name: "now", tasks: [{ kind: "inventory" }], groups: ["LAB1"] };
  const job = await read<JobResource>(admin("POST", "/jobs", now));
  assert.deepEqual(job.runs.map(({ computerId }) => computerId).toSorted(), [first, second].toSorted());
  await read(admin("POST", "/computers/move", { computers: [third], group: "LAB1" }));
  const again = await read<JobResource>(admin("GET", `/jobs/${job.id}`));
  assert.equal(again.runs.length, 2, "who comes later is not in it");
  assert.equal(codeOf(await admin("POST", `/jobs/${job.id}/assign`, {})), "bad-request");
  const assigned = await read<JobResource>(admin("POST", `/jobs/${job.id}/assign`, { groups: ["LAB1"] }));
  assert.equal(assigned.runs.length, 3);
});

test("groups: the command line makes, fills, wakes and empties them", { timeout: 300_000 }, async (t) => {
  const { site, ids } = await startRoom(t);
  const portolan = <Value>(...args: readonly string[]): Promise<Value> =>
    new Promise((resolve, reject) => {
      const all = [...args, "--json", "--data", site.server.config.dataDir];
      execFile("bin/portolan", all, { timeout: 120_000 }, (error, stdout, stderr) =>
        error === null
          ? resolve(JSON.parse(stdout) as Value)
          : reject(new Error(`${args.join(" ")}: ${stderr}`)),
      );
    });
  const [first = "", second = ""] = ids;
  await portolan("group", "add", "Building A");
  const lab = await portolan<GroupResource>("group", "add", "LAB1", "--parent", "Building A");
  const moved = await portolan<ComputerResource[]>("computer", "move", "LAB1", first, second);
  assert.deepEqual(
    moved.map(({ groupId }) => groupId),
    [lab.id, lab.id],
  );
  const listed = await portolan<ComputerResource[]>("computer", "list", "--group", "Building A");
  assert.deepEqual(listed.map(({ id }) => id).toSorted(), [first, second].toSorted());
  const renamed = await portolan<GroupResource>("group", "set", "LAB1", "--name", "LAB2", "--parent", "/");
  assert.equal(renamed.path, "LAB2");
  await portolan("computer", "move", "/", first);
  const groups = await portolan<GroupResource[]>("group", "list");
  assert.deepEqual(
    groups.map(({ path, computerCount }) => [path, computerCount]),
    [
      ["Building A", 0],
      ["LAB2", 1],
    ],
  );
  // Approved in the registry alone, the computers have not been told: none is connected, so each counts as asleep.
  assert.equal(site.server.control.find(second), null);
  const woken = await portolan<{ computers: string[] }>("group", "wake", "LAB2");
  assert.deepEqual(woken.computers, [second]);
  await assert.rejects(portolan("deploy", "nothing"), /name a computer, or a group with --group/);
});
