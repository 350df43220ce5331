import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test, type TestContext } from "node:test";
import type { MeResource, TokenResource, UserResource } from "#api/account-api.ts";
import type { GroupResource } from "#api/group-api.ts";
import { ask, headersOf, logIn, startSite } from "./console-site.ts";
import { type Ask, codeOf, openSocket, read, until } from "./limited-site.ts";
import { livePath } from "#api/live-api.ts";

const password = "correct horse battery";

async function startPeople(t: TestContext) {
  const site = await startSite(t);
  const headers = { authorization: `Bearer ${site.server.adminToken}` };
  const admin: Ask = (method, path, body) => ask(site, `/api/v1${path}`, { method, headers, body });
  const a = await read<GroupResource>(admin("POST", "/groups", { name: "Building A" }));
  const lab = await read<GroupResource>(admin("POST", "/groups", { name: "LAB1", parent: a.id }));
  const b = await read<GroupResource>(admin("POST", "/groups", { name: "Building B" }));
  const asToken =
    (secret: string): Ask =>
    (method, path, body) =>
      ask(site, `/api/v1${path}`, { method, headers: { authorization: `Bearer ${secret}` }, body });
  return { site, admin, a, lab, b, asToken };
}

test("limits: groups are named by path, an empty list is refused, and a change counts at the next request", async (t) => {
  const { site, admin, a, lab } = await startPeople(t);
  const given = { name: "ann", role: "operator", password };
  assert.equal((await admin("POST", "/users", { ...given, groups: [] })).status, 400);
  assert.equal((await admin("POST", "/users", { ...given, groups: ["nowhere"] })).status, 404);
  const made = await read<UserResource>(
    admin("POST", "/users", { ...given, groups: ["Building A/LAB1", lab.id] }),
  );
  assert.deepEqual(made.groups, [{ id: lab.id, path: "Building A/LAB1" }]);
  const login = await logIn(site, "ann", password);
  const ann: Ask = (method, path, body) =>
    ask(site, `/api/v1${path}`, { method, headers: headersOf(login), body });
  assert.equal((await read<MeResource>(ann("GET", "/me"))).isLimited, true);
  const shown = await read<GroupResource[]>(ann("GET", "/groups"));
  assert.deepEqual(
    shown.map(({ id, path, parentId }) => [id, path, parentId]),
    [[lab.id, "Building A/LAB1", null]],
  );
  const socket = await openSocket(t, site, livePath, login);
  assert.ok(typeof socket !== "number");
  const closed = new Promise((resolve) => {
    socket.on("close", resolve);
  });
  await read(admin("PUT", "/users/ann/groups", { groups: ["Building A"] }));
  assert.deepEqual(
    (await read<GroupResource[]>(ann("GET", "/groups"))).map(({ id }) => id).toSorted(),
    [a.id, lab.id].toSorted(),
  );
  assert.equal(await closed, 1008, "an open window of before is closed");
  await read(admin("PUT", "/users/ann/groups", { groups: null }));
  assert.equal((await read<MeResource>(ann("GET", "/me"))).isLimited, false);
  const users = await read<UserResource[]>(admin("GET", "/users"));
  assert.deepEqual(
    users.map(({ groups }) => groups),
    [null],
  );
});

test("limits: the last administrator of the whole site cannot be limited, whoever else administers", async (t) => {
  const { admin, a } = await startPeople(t);
  await read(admin("POST", "/users", { name: "boss", role: "administrator", password }));
  await read(admin("POST", "/users", { name: "ann", role: "administrator", password, groups: [a.id] }));
  assert.equal(codeOf(await admin("PUT", "/users/boss/groups", { groups: [a.id] })), "last-administrator");
  assert.equal(codeOf(await admin("PUT", "/users/boss/role", { role: "operator" })), "last-administrator");
  assert.equal(codeOf(await admin("DELETE", "/users/boss")), "last-administrator");
  await read(admin("PUT", "/users/ann/groups", { groups: null }));
  await read(admin("PUT", "/users/boss/groups", { groups: [a.id] }));
});

test("limits: a token has its own and those of the account that made it", async (t) => {
  const { site, admin, a, lab, b, asToken } = await startPeople(t);
  await read(admin("POST", "/users", { name: "boss", role: "administrator", password }));
  await read(admin("POST", "/users", { name: "other", role: "administrator", password }));
  const headers = headersOf(await logIn(site, "boss", password));
  const body = { name: "ci", role: "operator", groups: [lab.id, b.id] };
  const made = await ask(site, "/api/v1/tokens", { method: "POST", headers, body });
  const { secret, token } = made.json as { secret: string; token: TokenResource };
  assert.deepEqual(
    token.groups?.map(({ path }) => path),
    ["Building A/LAB1", "Building B"],
  );
  const ids = async (): Promise<string[]> =>
    (await read<GroupResource[]>(asToken(secret)("GET", "/groups"))).map(({ id }) => id).toSorted();
  assert.deepEqual(await ids(), [lab.id, b.id].toSorted());
  await read(admin("PUT", "/users/boss/groups", { groups: [a.id] }));
  assert.deepEqual(await ids(), [lab.id]);
  assert.equal(codeOf(await admin("DELETE", `/groups/${b.id}`)), "in-use");
  await read(admin("DELETE", `/tokens/${token.id}`));
  await read(admin("DELETE", `/groups/${b.id}`));
});

test("limits: an answer that was kept for a request's key is not given to who sees less now", async (t) => {
  const { site, admin, a } = await startPeople(t);
  await read(admin("POST", "/users", { name: "ann", role: "operator", password }));
  const headers = { ...headersOf(await logIn(site, "ann", password)), "idempotency-key": "one" };
  const add = () => ask(site, "/api/v1/groups", { method: "POST", headers, body: { name: "Building C" } });
  assert.equal((await add()).status, 200);
  assert.equal((await add()).headers["idempotency-replayed"], "true");
  await read(admin("PUT", "/users/ann/groups", { groups: [a.id] }));
  await until(async () => codeOf(await add()) === "outside-scope", "the refusal");
});

test("limits: the command line gives, shows and takes them", { timeout: 120_000 }, async (t) => {
  const { site, lab, b } = await startPeople(t);
  const portolan = (args: readonly string[], input = ""): Promise<string> =>
    new Promise((resolve, reject) => {
      const all = [...args, "--data", site.server.config.dataDir];
      const program = execFile("bin/portolan", all, { timeout: 60_000 }, (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(stderr)),
      );
      program.stdin?.end(input);
    });
  const added = await portolan(["user", "add", "mary", "operator", "LAB1", "Building B"], `${password}\n`);
  assert.match(added, /mary may log in as operator for Building A\/LAB1, Building B/);
  assert.match(await portolan(["user", "list"]), /mary +operator +Building A\/LAB1, Building B/);
  assert.match(await portolan(["user", "groups", "mary", lab.id]), /sees and touches Building A\/LAB1$/m);
  assert.deepEqual((await site.server.accounts.requireUser("mary")).groupIds, [lab.id]);
  await assert.rejects(portolan(["user", "groups", "mary", "/", "LAB1"]), /name it alone/);
  await assert.rejects(portolan(["user", "groups", "mary"]), /GROUP/i);
  assert.match(await portolan(["user", "groups", "mary", "/"]), /the whole site/);
  assert.equal((await site.server.accounts.requireUser("mary")).groupIds, null);
  await portolan(["token", "create", "nightly", "operator", "Building B", "--days", "7"]);
  assert.match(await portolan(["token", "list"]), /nightly +operator +Building B/);
  assert.deepEqual((await site.server.accounts.tokens.list())[0]?.groupIds, [b.id]);
});
