import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { computeCode, stepAt } from "#server/accounts/one-time-code.ts";
import { type Answer, ask, headersOf, logIn, startSite } from "./console-site.ts";

const password = "correct horse battery";
type Problem = { readonly code: string };

function stepOf(site: SimulatedSite): number {
  return stepAt(site.server.clock.epochMs());
}

function tryLogin(site: SimulatedSite, code?: string): Promise<Answer> {
  return ask(site, "/api/v1/login", { method: "POST", body: { name: "ann", password, code } });
}

/**
 * A site with an account whose authenticator was confirmed by the code of `step - 1`, the time step then. The code of
 * `step` is taken from then on and for half a minute at least.
 */
async function startWithAuthenticator(t: TestContext): Promise<{
  site: SimulatedSite;
  headers: Record<string, string>;
  secret: string;
  step: number;
  recoveryCodes: readonly string[];
}> {
  const site = await startSite(t);
  await site.server.accounts.createUser({ name: "ann", role: "viewer", password });
  const headers = headersOf(await logIn(site, "ann", password));
  const post = { method: "POST", headers };
  const begun = await ask(site, "/api/v1/me/authenticator", { ...post, body: { password } });
  assert.equal(begun.status, 200, begun.text);
  const { secret } = begun.json as { secret: string };
  const notYet = await tryLogin(site);
  assert.equal(notYet.status, 200, "a secret that no code has confirmed locks nobody out");
  const step = stepOf(site) + 1;
  const path = "/api/v1/me/authenticator/confirm";
  const guess = await ask(site, path, { ...post, body: { code: "1" } });
  assert.equal(guess.status, 403);
  const done = await ask(site, path, { ...post, body: { code: computeCode(secret, step - 1) } });
  assert.equal(done.status, 200, done.text);
  const { recoveryCodes } = done.json as { recoveryCodes: string[] };
  assert.equal(new Set(recoveryCodes).size, 10);
  return { site, headers, secret, step, recoveryCodes };
}

test("second factor: a password alone opens nothing; a code does, once; each is audited", async (t) => {
  const { site, secret, step } = await startWithAuthenticator(t);
  const without = await tryLogin(site);
  assert.equal(without.status, 401);
  assert.equal((without.json as Problem).code, "second-factor-needed");
  const old = await tryLogin(site, computeCode(secret, step - 1));
  assert.equal(
    (old.json as Problem).code,
    "bad-code",
    "the code that confirmed the authenticator is used up",
  );
  const code = computeCode(secret, step);
  assert.equal((await tryLogin(site, code)).status, 200);
  assert.equal((await tryLogin(site, code)).status, 401, "the same code again is refused");
  const entries = await site.server.audit.list({ limit: 100 });
  const logins = entries.filter(({ action, actor }) => action === "login" && actor === "ann");
  assert.deepEqual(
    logins.map(({ outcome }) => outcome),
    ["refused", "done", "refused", "refused", "done", "done"],
  );
  const text = JSON.stringify(entries);
  assert.ok(!text.includes(secret) && !text.includes(code) && !text.includes(password));
});

test("second factor: a recovery code opens once, however it is typed, and is kept as a hash alone", async (t) => {
  const { site, headers, recoveryCodes } = await startWithAuthenticator(t);
  const [first = "", second = ""] = recoveryCodes;
  assert.equal((await tryLogin(site, first)).status, 200);
  assert.equal((await tryLogin(site, first)).status, 401);
  assert.equal((await tryLogin(site, second.replaceAll("-", " ").toUpperCase())).status, 200);
  const shown = await ask(site, "/api/v1/me/second-factor", { headers });
  assert.equal((shown.json as { recoveryCodesLeft: number }).recoveryCodesLeft, 8);
  const entries = await site.server.audit.list({ limit: 100, action: "recoveryCode" });
  assert.deepEqual(
    entries.map(({ detail }) => detail),
    ["8 left", "9 left"],
  );
});

test("second factor: guesses at the code are limited although the password is right each time", async (t) => {
  const { site, secret, step } = await startWithAuthenticator(t);
  const statuses: number[] = [];
  for (let guess = 0; guess < 10; guess += 1) {
    statuses.push((await tryLogin(site, `x${guess}`)).status);
  }
  assert.equal(statuses.at(-1), 429);
  const right = await tryLogin(site, computeCode(secret, step));
  assert.equal(right.status, 429, "the right code waits too");
});

test("second factor: it is taken off with password and code, or by an administrator", async (t) => {
  const { site, headers, secret, step, recoveryCodes } = await startWithAuthenticator(t);
  const post = { method: "POST", headers };
  const path = "/api/v1/me/authenticator/remove";
  const wrong = await ask(site, path, { ...post, body: { password, code: "000" } });
  assert.equal(wrong.status, 401);
  const again = await ask(site, "/api/v1/me/authenticator", { ...post, body: { password } });
  assert.equal(again.status, 409, "a session that was left open cannot replace the authenticator");
  const right = await ask(site, path, { ...post, body: { password, code: computeCode(secret, step) } });
  assert.equal(right.status, 200, right.text);
  assert.equal((await tryLogin(site)).status, 200);

  const begun = await ask(site, "/api/v1/me/authenticator", { ...post, body: { password } });
  const { secret: next } = begun.json as { secret: string };
  const body = { code: computeCode(next, stepOf(site)) };
  await ask(site, "/api/v1/me/authenticator/confirm", { ...post, body });
  const stale = await tryLogin(site, recoveryCodes[0]);
  assert.equal(stale.status, 401, "recovery codes of the one before open nothing");
  const admin = { authorization: `Bearer ${site.server.adminToken}` };
  const list = async () =>
    (await ask(site, "/api/v1/users", { headers: admin })).json as { hasSecondFactor: boolean }[];
  assert.equal((await list())[0]?.hasSecondFactor, true);
  const reset = await ask(site, "/api/v1/users/ann/second-factor", { method: "DELETE", headers: admin });
  assert.equal(reset.status, 200, reset.text);
  assert.equal((await list())[0]?.hasSecondFactor, false);
  assert.equal((await ask(site, "/api/v1/me", { headers })).status, 401, "its sessions have ended");
  assert.equal((await tryLogin(site)).status, 200);
});

test("second factor: tokens and the local administrator have none", async (t) => {
  const site = await startSite(t);
  const headers = { authorization: `Bearer ${site.server.adminToken}` };
  const answer = await ask(site, "/api/v1/me/authenticator", { method: "POST", headers, body: { password } });
  assert.equal(answer.status, 409);
});
