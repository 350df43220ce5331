import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { addSimulatedImage, startSimulatedRoom } from "#dev/simulated-room.ts";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { type Answer, ask, startSite } from "../console/console-site.ts";

type Call = (method: string, path: string, body?: unknown) => Promise<Answer>;

async function openSite(t: TestContext): Promise<{ site: SimulatedSite; call: Call }> {
  const site = await startSite(t);
  await addSimulatedImage(site, { name: "office", dataMib: 1, sizeMib: 4 });
  const headers = { authorization: `Bearer ${site.server.adminToken}` };
  const call: Call = (method, path, body) => ask(site, `/api/v1${path}`, { method, headers, body });
  return { site, call };
}

async function createJob(call: Call, body: object): Promise<string> {
  const answer = await call("POST", "/jobs", { name: "Classroom", ...body });
  assert.equal(answer.status, 200, answer.text);
  return (answer.json as { readonly id: string }).id;
}

async function assertInUse(call: Call, expected: RegExp): Promise<void> {
  const answer = await call("DELETE", "/images/office");
  assert.equal(answer.status, 409, answer.text);
  const { code, detail } = answer.json as { readonly code: string; readonly detail: string };
  assert.equal(code, "in-use");
  assert.match(detail, expected);
}

const deploy = { kind: "deploy-image", image: "office" } as const;

test("images: one that a job is to deploy later, also by a condition, stays until the job is cancelled", async (t) => {
  const { site, call } = await openSite(t);
  const [computer] = startSimulatedRoom(site, { count: 1, writeDelayMs: 1, areInstalled: false });
  t.after(() => computer?.stop());
  for (let tries = 0; site.server.registry.list().length === 0 && tries < 2000; tries += 1) {
    await delay(50);
  }
  const [known] = site.server.registry.list();
  assert.ok(known !== undefined, "the computer has come");
  await site.server.registry.approve(known.id);
  const id = await createJob(call, {
    computers: [known.id],
    conditions: [{ name: "large", when: { memoryBytes: ">= 1" }, tasks: [deploy] }],
    tasks: [{ kind: "restart" }],
    schedule: { at: "2098-12-05 18:00", timeZone: "UTC", repeat: "0 18 * * fri" },
  });
  const expected = new RegExp(
    `job ${id} \\(Classroom\\) is to deploy office at 2098-12-05T18:00:00.000Z; cancel it first with portolan job cancel ${id}`,
  );
  await assertInUse(call, expected);
  assert.equal((await call("POST", `/jobs/${id}/cancel`)).status, 200);
  const removed = await call("DELETE", "/images/office");
  assert.equal(removed.status, 200, removed.text);
});

test("images: one that new computers get stays while Initial Deployment can come to its job", async (t) => {
  const { call } = await openSite(t);
  const id = await createJob(call, { tasks: [deploy] });
  const set = async (body: object): Promise<void> => {
    const answer = await call("PUT", "/initial-deployment", body);
    assert.equal(answer.status, 200, answer.text);
  };
  const expected = new RegExp(`job ${id} \\(Classroom\\) deploys office to new computers`);
  await set({ action: "menu", jobs: [id], default: "wait" });
  await assertInUse(call, expected);
  await set({ action: "job", jobs: [], default: id });
  await assertInUse(call, expected);
  await set({ action: "menu" });
  const removed = await call("DELETE", "/images/office");
  assert.equal(removed.status, 200, removed.text);
});
