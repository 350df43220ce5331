import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type RouteName, routes } from "#api/contract.ts";
import { accessOf, type Role, type Route, roles } from "#api/route.ts";
import { encodePassword, isPassword } from "#server/accounts/password.ts";
import { ask, headersOf, logIn, startSite } from "./console-site.ts";

const password = "correct horse battery";

/** Paths that anybody may read: they show nothing of the site. */
const publicRoutes: readonly RouteName[] = [
  "showHealth",
  "showReadiness",
  "showSetup",
  "createFirstUser",
  "login",
  "showLogin",
  "beginKeyLogin",
  "finishKeyLogin",
  "beginProviderLogin",
  "finishProviderLogin",
];

test("access: without an account every route of the contract answers 401, whatever its method", async (t) => {
  const site = await startSite(t);
  const seen: string[] = [];
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    const path = `/api/v1${route.path.replace(":id", "x")}`;
    const answer = await ask(site, path, {
      method: route.method,
      body: route.method === "GET" ? undefined : {},
    });
    if (accessOf(route) === "public") {
      assert.ok(publicRoutes.includes(name), `${name} is open to everybody and not on the list here`);
    } else {
      assert.equal(answer.status, 401, `${route.method} ${path} answered ${answer.status}: ${answer.text}`);
      seen.push(name);
    }
  }
  assert.equal(seen.length + publicRoutes.length, Object.keys(routes).length);
  for (const path of ["/metrics", "/api/v1/openapi.json", "/api/v1/nosuch", "/api/v1/computers/%2e%2e/x"]) {
    assert.equal((await ask(site, path)).status, 401, path);
  }
  assert.deepEqual(site.server.registry.list(), []);
});

test("access: each role is refused every route above it, and the refusal is audited", async (t) => {
  for (const role of ["viewer", "operator"] as const) {
    const above = (Object.entries(routes) as [string, Route][]).filter(([, route]) => {
      const access = accessOf(route);
      return access !== "public" && roles.indexOf(access) > roles.indexOf(role);
    });
    // A minute brings 60 refusals into the audit log at most: a site for each 60, so that none depends on the time.
    for (let first = 0; first < above.length; first += 60) {
      await refuseEach(t, role, above.slice(first, first + 60));
    }
  }
});

/** That each route is refused to this role, and written down. */
async function refuseEach(t: TestContext, role: Role, above: readonly [string, Route][]): Promise<void> {
  const site = await startSite(t);
  await site.server.accounts.createUser({ name: role, role, password });
  const headers = headersOf(await logIn(site, role, password));
  for (const [, route] of above) {
    const { method } = route;
    const path = `/api/v1${route.path.replace(":id", "x")}`;
    const body = method === "GET" ? undefined : {};
    const answer = await ask(site, path, { method, headers, body });
    assert.equal(answer.status, 403, `${role}: ${method} ${path} answered ${answer.status}`);
  }
  const entries = await site.server.audit.list({ limit: 500, actor: role });
  const audited = entries.filter(({ outcome }) => outcome === "refused").map(({ action }) => action);
  assert.deepEqual(
    audited.toReversed(),
    above.map(([name]) => name),
  );
}

test("access: nothing that changes something is open to viewers", () => {
  const changing = (Object.entries(routes) as [string, Route][]).filter(([, { method }]) => method !== "GET");
  const open = changing.filter(([, route]) => accessOf(route) === "viewer").map(([name]) => name);
  assert.deepEqual(
    open.toSorted(),
    [
      "addMySecurityKey",
      "beginMyAuthenticator",
      "beginMySecurityKey",
      "changeMyPassword",
      "confirmMe",
      "confirmMyAuthenticator",
      "logout",
      "removeMyAuthenticator",
      "removeMySecurityKey",
    ],
    "one's own account alone",
  );
});

test("access: an operator cannot have the server read its own files for a job; an administrator can", async (t) => {
  const site = await startSite(t);
  const source = join(site.server.config.dataDir, "admin.json");
  writeFileSync(source, "what only the server may read");
  const task = { kind: "copy-file", source, destination: "/root/got" };
  for (const [role, status] of [
    ["operator", 403],
    ["administrator", 200],
  ] as const) {
    await site.server.accounts.createUser({ name: role, role, password });
    const headers = headersOf(await logIn(site, role, password));
    for (const path of ["/api/v1/jobs/preview", "/api/v1/jobs"]) {
      const body = { name: "take", tasks: [task], computers: [] };
      const answer = await ask(site, path, { method: "POST", headers, body });
      assert.equal(answer.status, status, `${role}: ${path}: ${answer.text}`);
    }
  }
});

test("access: a session's cookie without the browser's own half opens nothing, and is audited", async (t) => {
  const site = await startSite(t);
  await site.server.accounts.createUser({ name: "ann", role: "administrator", password });
  const login = await logIn(site, "ann", password);
  assert.equal((await ask(site, "/api/v1/me", { headers: headersOf(login) })).status, 200);
  assert.equal((await ask(site, "/api/v1/me", { headers: { cookie: login.cookie } })).status, 401);
  const stolen = headersOf({ cookie: login.cookie, proof: "another browser's" });
  assert.equal((await ask(site, "/api/v1/me", { headers: stolen })).status, 401);
  const entries = await site.server.audit.list({ limit: 50 });
  assert.equal(entries.filter(({ action }) => action === "cookie-without-proof").length, 2);
});

test("access: a foreign page is refused before anything else, and audited", async (t) => {
  const site = await startSite(t);
  await site.server.accounts.createUser({ name: "ann", role: "administrator", password });
  const login = headersOf(await logIn(site, "ann", password));
  const foreign = await ask(site, "/api/v1/me", { headers: { ...login, origin: "https://evil.example" } });
  assert.equal(foreign.status, 403);
  const own = await ask(site, "/api/v1/me", { headers: { ...login, origin: site.console.url } });
  assert.equal(own.status, 200);
  const [entry] = await site.server.audit.list({ limit: 1 });
  assert.equal(entry?.action, "foreign-origin");
});

test("access: guesses at a password are limited and audited; the eleventh waits", async (t) => {
  const site = await startSite(t);
  await site.server.accounts.createUser({ name: "ann", role: "viewer", password });
  const statuses: number[] = [];
  for (let guess = 0; guess < 11; guess += 1) {
    const body = { name: "ann", password: `wrong ${guess}` };
    statuses.push((await ask(site, "/api/v1/login", { method: "POST", body })).status);
  }
  assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 401), 429]);
  const entries = await site.server.audit.list({ limit: 50, actor: "ann" });
  assert.equal(
    entries.filter(({ action, outcome }) => action === "login" && outcome === "refused").length,
    11,
  );
  assert.ok(
    entries.every(({ detail }) => !(detail ?? "").includes("wrong 1")),
    "no guess is written down",
  );
});

test("access: a new password, a removed account and a revoked token count at once", async (t) => {
  const site = await startSite(t);
  const { accounts, adminToken } = site.server;
  await accounts.createUser({ name: "boss", role: "administrator", password });
  const admin = { authorization: `Bearer ${adminToken}` };
  await accounts.createUser({ name: "ann", role: "operator", password });
  const first = headersOf(await logIn(site, "ann", password));
  const body = { password: "another long password" };
  await ask(site, "/api/v1/users/ann/password", { method: "PUT", headers: admin, body });
  assert.equal((await ask(site, "/api/v1/me", { headers: first })).status, 401);
  const second = headersOf(await logIn(site, "ann", body.password));
  await ask(site, "/api/v1/users/ann", { method: "DELETE", headers: admin });
  assert.equal((await ask(site, "/api/v1/me", { headers: second })).status, 401);
  const made = await ask(site, "/api/v1/tokens", {
    method: "POST",
    headers: admin,
    body: { name: "ci", role: "viewer" },
  });
  const { secret, token } = made.json as { secret: string; token: { id: string } };
  const asToken = { authorization: `Bearer ${secret}` };
  assert.equal((await ask(site, "/api/v1/me", { headers: asToken })).status, 200);
  assert.equal((await ask(site, "/api/v1/tokens", { headers: asToken })).status, 403);
  await ask(site, `/api/v1/tokens/${token.id}`, { method: "DELETE", headers: admin });
  assert.equal((await ask(site, "/api/v1/me", { headers: asToken })).status, 401);
  const entries = await site.server.audit.list({ limit: 100 });
  assert.ok(!JSON.stringify(entries).includes(secret));
  assert.ok(!JSON.stringify(entries).includes(body.password));
});

test("access: the first account needs the code of the terminal, and there is no second first one", async (t) => {
  const site = await startSite(t);
  const code = await site.server.accounts.openSetup();
  const body = { code: "guess", name: "ann", password };
  assert.equal((await ask(site, "/api/v1/setup", { method: "POST", body })).status, 403);
  const made = await ask(site, "/api/v1/setup", { method: "POST", body: { ...body, code } });
  assert.equal(made.status, 200, made.text);
  assert.match(String(made.headers["set-cookie"]), /HttpOnly; SameSite=Strict/);
  assert.equal((await ask(site, "/api/v1/setup", { method: "POST", body: { ...body, code } })).status, 403);
  assert.deepEqual((await ask(site, "/api/v1/setup")).json, { needsFirstUser: false });
});

test("access: pages come with a policy that runs no text as a program", async (t) => {
  const site = await startSite(t);
  const page = await ask(site, "/computers/c-1");
  const policy = String(page.headers["content-security-policy"]);
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.equal(page.headers["x-content-type-options"], "nosniff");
});

test("passwords: Argon2id, salted, with 46 MiB; a stored hash says its own cost", async () => {
  const one = await encodePassword(password);
  assert.match(one, /^\$argon2id\$v=19\$m=47104,t=1,p=1\$/);
  assert.notEqual(one, await encodePassword(password));
  assert.equal(await isPassword(password, one), true);
  assert.equal(await isPassword(`${password} `, one), false);
});

test("roles: an ordered list, so that none is forgotten in a comparison", () => {
  assert.deepEqual(roles satisfies readonly Role[], ["viewer", "operator", "administrator"]);
});
