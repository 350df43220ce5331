import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { findFlow } from "#plan/flows.ts";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { type Answer, ask, headersOf } from "./console-site.ts";
import { providerSecret, startProviderSite, walk } from "./login-provider.ts";

type Begun = { readonly url: string; readonly binding: string };
type Opened = { readonly proof: string; readonly me: { readonly name: string; readonly role: string } };

function post(site: SimulatedSite, path: string, body: unknown): Promise<Answer> {
  return ask(site, path, { method: "POST", body });
}

async function begin(site: SimulatedSite, origin: string, isFresh = false): Promise<Begun> {
  const answer = await post(site, "/api/v1/login/provider/begin", { origin, isFresh });
  assert.equal(answer.status, 200, answer.text);
  return answer.json as Begun;
}

function finish(site: SimulatedSite, query: string, bindingSecret: string): Promise<Answer> {
  return post(site, "/api/v1/login/provider", { returnedSecret: query, bindingSecret });
}

async function logInAs(site: SimulatedSite, origin: string, name: string): Promise<Answer> {
  const { url, binding } = await begin(site, origin);
  return finish(site, (await walk(url, name)).search.slice(1), binding);
}

function problemOf(answer: Answer): string {
  const { code = "", detail = "" } = (answer.json ?? {}) as { code?: string; detail?: string };
  return `${answer.status} ${code} ${detail}`;
}

test("provider login: an account is made with the role of its groups, found again, and follows its groups", async (t) => {
  const { site, origin, issuer } = await startProviderSite(t);
  const first = await logInAs(site, origin, "ann");
  assert.equal(first.status, 200, first.text);
  const { me, proof } = first.json as Opened;
  assert.deepEqual([me.name, me.role], ["ann", "operator"]);
  const [cookie = ""] = [first.headers["set-cookie"]].flat();
  const headers = headersOf({ cookie: cookie.split(";")[0] ?? "", proof });
  assert.equal((await ask(site, "/api/v1/me", { headers })).status, 200);

  await site.server.settings.set("login.operators", "none");
  await site.server.settings.set("login.viewers", "staff");
  const again = await logInAs(site, origin, "ann");
  assert.equal((again.json as Opened).me.role, "viewer");
  assert.equal(
    (await site.server.accounts.listUsers()).length,
    1,
    "issuer and subject name the same account",
  );

  const left = await ask(site, "/api/v1/logout", { method: "POST", headers });
  assert.equal(left.status, 200, left.text);
  assert.match((left.json as { providerUrl: string }).providerUrl, new RegExp(`^${issuer}/session/end`));

  await logInAs(site, origin, "ann");
  await site.server.settings.set("login.viewers", "none");
  const refused = await logInAs(site, origin, "ann");
  assert.match(problemOf(refused), /^403 no-role none of your groups has a role here: deployers, staff/);
  const password = await post(site, "/api/v1/login", { name: "ann", password: "" });
  assert.match(problemOf(password), /^401 bad-login/, "an account of the provider has no password");

  const admin = { authorization: `Bearer ${site.server.adminToken}` };
  const body = { password: "correct horse battery" };
  const given = await ask(site, "/api/v1/users/ann/password", { method: "PUT", headers: admin, body });
  assert.match(
    problemOf(given),
    /^409 no-password ann logs in elsewhere/,
    "nobody comes in past the provider",
  );
  const users = (await ask(site, "/api/v1/users", { headers: admin })).json as { hasPassword: boolean }[];
  assert.deepEqual(
    users.map(({ hasPassword }) => hasPassword),
    [false],
  );

  const entries = await site.server.audit.list({ limit: 100 });
  assert.deepEqual(
    entries
      .filter(({ action }) => action === "finishProviderLogin")
      .map(({ actor, outcome }) => `${actor} ${outcome}`),
    ["ann refused", "ann done", "ann done", "ann done"],
  );
  assert.ok(!JSON.stringify(entries).includes(providerSecret));
});

test("provider login: no group, an unverified address and a foreign domain are refused by name, and audited", async (t) => {
  const { site, origin } = await startProviderSite(t);
  assert.match(
    problemOf(await logInAs(site, origin, "bob")),
    /^403 no-role .*: staff; login\.administrators/,
  );
  await site.server.settings.set("login.domains", "example.org");
  assert.match(problemOf(await logInAs(site, origin, "eve")), /^403 wrong-domain .*has verified/);
  assert.match(
    problemOf(await logInAs(site, origin, "mal")),
    /^403 wrong-domain nobody of elsewhere\.example/,
  );
  assert.equal((await logInAs(site, origin, "ann")).status, 200);
  const entries = await site.server.audit.list({
    limit: 100,
    action: "finishProviderLogin",
    outcome: "refused",
  });
  assert.deepEqual(
    entries.map(({ actor }) => actor),
    ["mal", "eve", "bob"],
  );
});

test("provider login: an account of the site is never taken over by a name", async (t) => {
  const { site, origin } = await startProviderSite(t);
  await site.server.accounts.createUser({
    name: "ann",
    role: "administrator",
    password: "correct horse battery",
  });
  const answer = await logInAs(site, origin, "ann");
  assert.equal((answer.json as Opened).me.name, "ann@example.org");
  assert.equal((await site.server.accounts.requireUser("ann")).role, "administrator");
});

test("provider login: whoever logs in again there may order work on many computers; a provider that does not say when it asked is not believed", async (t) => {
  const { site, origin } = await startProviderSite(t);
  type Me = { readonly me: { readonly confirmedUntil: number | null; readonly hasPassword: boolean } };
  const plain = (await logInAs(site, origin, "ann")).json as Me;
  assert.deepEqual([plain.me.confirmedUntil, plain.me.hasPassword], [null, false]);
  const fresh = await begin(site, origin, true);
  const answer = await finish(site, (await walk(fresh.url, "ann")).search.slice(1), fresh.binding);
  const { me, proof } = answer.json as Me & Opened;
  const leftMs = (me.confirmedUntil ?? 0) - site.server.clock.epochMs();
  assert.ok(leftMs > 4 * 60_000 && leftMs <= 5 * 60_000, String(leftMs));
  const [cookie = ""] = [answer.headers["set-cookie"]].flat();
  const headers = headersOf({ cookie: cookie.split(";")[0] ?? "", proof });
  const shown = await ask(site, "/api/v1/me", { headers });
  assert.equal((shown.json as { confirmedUntil: number }).confirmedUntil, me.confirmedUntil);
  const confirm = await ask(site, "/api/v1/me/confirm", { method: "POST", headers, body: { password: "" } });
  assert.match(problemOf(confirm), /^409 no-password/);

  const stale = await begin(site, origin, true);
  const silent = new URL(stale.url);
  silent.searchParams.delete("max_age");
  silent.searchParams.delete("prompt");
  const old = await finish(site, (await walk(silent.href, "ann")).search.slice(1), stale.binding);
  assert.match(problemOf(old), /^401 bad-provider-answer .*told to ask again/);
});

test("provider login: another browser, a changed state or nonce, and a code again are refused and audited", async (t) => {
  const { site, origin } = await startProviderSite(t);
  const one = await begin(site, origin);
  const back = (await walk(one.url, "ann")).search.slice(1);
  assert.match(problemOf(await finish(site, back, "another browser")), /^401 bad-provider-answer/);
  assert.match(
    problemOf(await finish(site, back, one.binding)),
    /^401 .*has ended already/,
    "the attempt is used up",
  );

  const two = await begin(site, origin);
  const other = new URLSearchParams((await walk(two.url, "ann")).search);
  other.set("state", "made-up");
  assert.match(
    problemOf(await finish(site, other.toString(), two.binding)),
    /^401 .*not begun in this browser/,
  );

  const three = await begin(site, origin);
  const forged = new URL(three.url);
  forged.searchParams.set("nonce", "of somebody else");
  const answered = (await walk(forged.href, "ann")).search.slice(1);
  assert.match(problemOf(await finish(site, answered, three.binding)), /^401 .*nonce/);

  const four = await begin(site, origin);
  const good = new URLSearchParams((await walk(four.url, "ann")).search);
  assert.equal((await finish(site, good.toString(), four.binding)).status, 200);
  const five = await begin(site, origin);
  good.set("state", new URL(five.url).searchParams.get("state") ?? "");
  assert.match(
    problemOf(await finish(site, good.toString(), five.binding)),
    /^401 .*invalid_grant|^401 .*grant/,
  );

  const entries = await site.server.audit.list({ limit: 100, action: "finishProviderLogin" });
  assert.deepEqual(
    entries.map(({ outcome }) => outcome),
    ["refused", "done", "refused", "refused", "refused", "refused"],
  );
  assert.ok(!JSON.stringify(entries).includes(good.get("code") ?? ""), "codes are not written down");
});

test("provider login: a provider that is away, or is none, is named, and passwords still open the console", async (t) => {
  const { site, origin, issuer, stopProvider } = await startProviderSite(t);
  const password = "correct horse battery";
  await site.server.accounts.createUser({ name: "loc", role: "viewer", password });
  const begun = await begin(site, origin);
  const back = (await walk(begun.url, "ann")).search.slice(1);
  await stopProvider();
  const late = await finish(site, back, begun.binding);
  assert.match(problemOf(late), /^502 provider-away .*ECONNREFUSED.*still log in by password/);
  assert.equal((await post(site, "/api/v1/login", { name: "loc", password })).status, 200);

  const deaf = createServer((socket) => socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"));
  await new Promise<void>((listening) => {
    deaf.listen(Number(new URL(issuer).port), "127.0.0.1", listening);
  });
  t.after(() => deaf.close());
  await site.server.settings.set("login.clientId", "renamed");
  const answer = await post(site, "/api/v1/login/provider/begin", { origin });
  assert.match(problemOf(answer), /^502 provider-away .*is no login provider/);
  const elsewhere = await post(site, "/api/v1/login/provider/begin", { origin: "https://evil.example" });
  assert.match(problemOf(elsewhere), /^409 no-host-name/);
});

test("provider login: its flow is in the plan while there is one, and its secret is never shown", async (t) => {
  const { site, issuer, origin } = await startProviderSite(t);
  const flow = findFlow(site.server.flows(), "login.provider");
  assert.deepEqual([flow.state, flow.ports], ["on", [Number(new URL(issuer).port)]]);
  const headers = { authorization: `Bearer ${site.server.adminToken}` };
  const put = await ask(site, "/api/v1/login/provider/secret", {
    method: "PUT",
    headers,
    body: { secret: "not the right one" },
  });
  assert.equal(put.status, 200, put.text);
  const shown = await ask(site, "/api/v1/login/provider", { headers });
  const redirectUris = [`${origin}/login/provider`, "https://localhost/login/provider"];
  assert.deepEqual(shown.json, { issuer, hasSecret: true, problem: null, redirectUris });
  assert.match(
    problemOf(await logInAs(site, origin, "ann")),
    /^502 site-unknown .*login\.clientId or the secret/,
  );
  for (const path of ["/api/v1/settings", "/api/v1/login/provider", "/api/v1/audit", "/api/v1/login"]) {
    const answer = await ask(site, path, { headers });
    assert.equal(answer.status, 200, answer.text);
    assert.ok(!answer.text.includes("not the right one"), path);
  }
  await site.server.settings.set("login.issuer", "none");
  assert.equal(findFlow(site.server.flows(), "login.provider").state, "off");
  assert.match(problemOf(await post(site, "/api/v1/login/provider/begin", { origin })), /^409 no-provider/);
});
