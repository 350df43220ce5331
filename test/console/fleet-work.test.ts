import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type TestContext, test } from "node:test";
import { addSimulatedImage, startSimulatedRoom } from "#dev/simulated-room.ts";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { fleetCountMin } from "#server/accounts/principal.ts";
import { type Answer, ask, headersOf, logIn, startSite } from "./console-site.ts";

const password = "correct horse battery";

/** A site with as many approved computers as make erasing them fleet-wide work. */
async function startFleet(t: TestContext): Promise<{ site: SimulatedSite; computers: readonly string[] }> {
  const site = await startSite(t);
  await addSimulatedImage(site, { name: "lab-image", dataMib: 1, sizeMib: 4 });
  const room = startSimulatedRoom(site, { count: fleetCountMin, writeDelayMs: 1, areInstalled: false });
  t.after(() => room.forEach((computer) => computer.stop()));
  while (site.server.registry.list().length < fleetCountMin) {
    await delay(50);
  }
  const headers = { authorization: `Bearer ${site.server.adminToken}` };
  const computers = site.server.registry.list().map(({ id }) => id);
  for (const id of computers) {
    const answer = await ask(site, `/api/v1/computers/${id}/approve`, { method: "POST", headers });
    assert.equal(answer.status, 200, answer.text);
  }
  return { site, computers };
}

type Headers = Readonly<Record<string, string>>;

/** For tomorrow, so that nothing is erased while the test looks. */
function order(site: SimulatedSite, headers: Headers, computers: readonly string[], kind: string) {
  const task = kind === "deploy-image" ? { kind, image: "lab-image" } : { kind };
  const body = { name: kind, tasks: [task], computers, schedule: { at: "2099-01-01 08:00" } };
  return ask(site, "/api/v1/jobs", { method: "POST", headers: { ...headers }, body });
}

function assertUnconfirmed(answer: Answer): void {
  assert.equal(answer.status, 403, answer.text);
  assert.equal((answer.json as { code: string }).code, "confirmation-needed");
}

test(
  "fleet work: erasing many computers is asked for twice, refusals are audited, and the second time ends",
  { timeout: 120_000 },
  async (t) => {
    const { site, computers } = await startFleet(t);
    await site.server.accounts.createUser({ name: "olga", role: "operator", password });
    const headers = headersOf(await logIn(site, "olga", password));
    assertUnconfirmed(await order(site, headers, computers, "deploy-image"));
    assert.deepEqual(site.server.jobs.listJobs(), [], "nothing was made of it");
    const few = await order(site, headers, computers.slice(1), "deploy-image");
    assert.equal(few.status, 200, few.text);
    assert.equal((await order(site, headers, computers, "inventory")).status, 200, "it erases nothing");
    const { id } = few.json as { id: string };
    const path = `/api/v1/jobs/${id}/assign`;
    assertUnconfirmed(await ask(site, path, { method: "POST", headers, body: { computers } }));
    const [refused] = await site.server.audit.list({ limit: 1 });
    assert.deepEqual([refused?.actor, refused?.action, refused?.outcome], ["olga", "assignJob", "refused"]);

    const confirm = (given: string): Promise<Answer> =>
      ask(site, "/api/v1/me/confirm", { method: "POST", headers, body: { password: given } });
    assert.equal((await confirm("not the password")).status, 401);
    assertUnconfirmed(await order(site, headers, computers, "deploy-image"));
    const confirmed = await confirm(password);
    const { confirmedUntil } = confirmed.json as { confirmedUntil: number };
    const leftMs = confirmedUntil - site.server.clock.epochMs();
    assert.ok(leftMs > 0 && leftMs <= 300_000, `for minutes, not for ever: ${leftMs}`);
    assert.equal((await order(site, headers, computers, "deploy-image")).status, 200);
    const other = headersOf(await logIn(site, "olga", password));
    assertUnconfirmed(await order(site, other, computers, "deploy-image"));
  },
);

test(
  "fleet work: a token erases many computers only when it was made for that",
  { timeout: 120_000 },
  async (t) => {
    const { site, computers } = await startFleet(t);
    const admin = { authorization: `Bearer ${site.server.adminToken}` };
    const statuses: number[] = [];
    for (const allowsFleetWork of [false, true]) {
      const body = { name: `ci-${allowsFleetWork}`, role: "operator", allowsFleetWork };
      const made = await ask(site, "/api/v1/tokens", { method: "POST", headers: admin, body });
      const { secret } = made.json as { secret: string };
      const headers = { authorization: `Bearer ${secret}` };
      statuses.push((await order(site, headers, computers, "deploy-image")).status);
    }
    assert.deepEqual(statuses, [403, 200]);
  },
);
