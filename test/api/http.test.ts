import assert from "node:assert/strict";
import { request } from "node:https";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { connect } from "node:tls";
import { test } from "node:test";
import type { ServerResource } from "#api/server-api.ts";
import { problemSchema } from "#api/values.ts";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { type Answer, ask, startSite } from "../console/console-site.ts";

const password = "correct horse battery";

function adminOf(site: SimulatedSite): Record<string, string> {
  return { authorization: `Bearer ${site.server.adminToken}` };
}

function assertProblem(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers["content-type"], "application/problem+json");
  const problem = problemSchema.parse(answer.json);
  assert.equal(problem.status, status);
  assert.equal(problem.code, code);
  assert.ok(problem.detail.length > 5, "it says what was wrong");
}

/** A body that is not what its headers say. */
function sendText(
  site: SimulatedSite,
  path: string,
  headers: Record<string, string>,
  text: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      method: "POST",
      ca: site.server.authority.certificatePem,
      agent: false as const,
      headers,
    };
    const call = request(new URL(path, site.console.url), options, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => {
        const all = Buffer.concat(parts).toString("utf8");
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          json: JSON.parse(all),
          text: all,
        });
      });
    });
    call.on("error", reject);
    call.end(text);
  });
}

/** Whatever is said to the port inside TLS, and what comes back until it closes. */
function sayRaw(site: SimulatedSite, bytes: string): Promise<string> {
  const { hostname, port } = new URL(site.console.url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), ca: site.server.authority.certificatePem });
    let text = "";
    socket.on("secureConnect", () => socket.write(bytes));
    socket.on("data", (part: Buffer) => {
      text += part.toString("latin1");
    });
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
}

test("API: whatever is wrong with a request, the answer is a problem that says so", async (t) => {
  const site = await startSite(t);
  const admin = adminOf(site);
  const json = { ...admin, "content-type": "application/json" };
  assertProblem(await ask(site, "/api/v1/me"), 401, "not-authorised");
  assertProblem(await ask(site, "/api/v1/nosuch", { headers: admin }), 404, "not-found");
  assertProblem(await ask(site, "/api/v1/computers/none", { headers: admin }), 404, "not-found");
  assertProblem(await ask(site, "/api/v1/me", { method: "DELETE", headers: admin }), 404, "not-found");
  assertProblem(await ask(site, "/api/v1/computers/%zz", { headers: admin }), 400, "bad-url");
  assertProblem(await ask(site, "/api/v1/computers?stat=x", { headers: admin }), 400, "bad-request");
  const wrong = await ask(site, "/api/v1/users", { method: "POST", headers: admin, body: { name: "A B" } });
  assertProblem(wrong, 400, "bad-request");
  assertProblem(await sendText(site, "/api/v1/users", json, "{nonsense"), 400, "bad-json");
  assertProblem(await sendText(site, "/api/v1/users", json, '{"__proto__":{}}'), 400, "bad-json");
  assertProblem(
    await sendText(site, "/api/v1/users", { ...admin, "content-type": "text/xml" }, "<x/>"),
    415,
    "bad-media-type",
  );
  const large = JSON.stringify({ name: "x".repeat(1 << 20) });
  assertProblem(await sendText(site, "/api/v1/users", json, large), 413, "body-too-large");
  const foreign = { ...admin, origin: "https://evil.example" };
  assertProblem(await ask(site, "/api/v1/me", { headers: foreign }), 403, "foreign-origin");
  assert.match(await sayRaw(site, "hello\r\n\r\n"), /^HTTP\/1\.1 400 .*application\/problem\+json/s);
  const headers = `GET / HTTP/1.1\r\nx: ${"y".repeat(20_000)}\r\n\r\n`;
  assert.match(await sayRaw(site, headers), /^HTTP\/1\.1 431 /);
});

test("API: who is refused too often must wait, and is told how long", async (t) => {
  const site = await startSite(t);
  const answers: Answer[] = [];
  // As many at once as a guesser would send; the bucket fills by two a second meanwhile.
  while (answers.length < 2000 && !answers.some(({ status }) => status === 429)) {
    const guesses = Array.from({ length: 25 }, (_, index) =>
      ask(site, "/api/v1/me", { headers: { authorization: `Bearer guess${answers.length + index}` } }),
    );
    answers.push(...(await Promise.all(guesses)));
  }
  const waiting = answers.find(({ status }) => status === 429);
  assert.ok(waiting !== undefined, "two thousand guesses were all answered");
  assertProblem(waiting, 429, "too-many-requests");
  assert.ok(Number(waiting.headers["retry-after"]) >= 1);
  const answered = answers.filter(({ status }) => status === 401).length;
  assert.ok(answered >= 300, "a browser that asks a few times is not in the way");
  const entries = await site.server.audit.list({ limit: 500, action: "bad-token" });
  assert.ok(entries.length >= 1 && entries.length <= 60, "written down, and not without end");
});

test("API: lists come in pages that name the next one, with filters", async (t) => {
  const site = await startSite(t);
  const admin = adminOf(site);
  for (const name of ["ann", "bob", "cat"]) {
    await site.server.accounts.createUser({ name, role: "viewer", password });
  }
  const seen: string[] = [];
  let path: string | null = "/api/v1/users?limit=2";
  while (path !== null) {
    const page: Answer = await ask(site, path, { headers: admin });
    assert.equal(page.status, 200, page.text);
    assert.equal(page.headers["x-total-count"], "3");
    seen.push(...(page.json as { name: string }[]).map(({ name }) => name));
    path = /^<(.*)>; rel="next"$/.exec(String(page.headers["link"] ?? ""))?.[1] ?? null;
  }
  assert.deepEqual(seen.toSorted(), ["ann", "bob", "cat"]);
  const whole = await ask(site, "/api/v1/users", { headers: admin });
  assert.equal((whole.json as unknown[]).length, 3);
  assert.equal((await ask(site, "/api/v1/users?limit=0", { headers: admin })).status, 400);
  await ask(site, "/api/v1/me", { headers: { authorization: "Bearer nobody's" } });
  const refused = await ask(site, "/api/v1/audit?outcome=refused", { headers: admin });
  assert.deepEqual(
    (refused.json as { action: string }[]).map(({ action }) => action),
    ["bad-token"],
  );
});

test("API: a request with a key is done once, and its answer comes again", async (t) => {
  const site = await startSite(t);
  const headers = { ...adminOf(site), "idempotency-key": "k-1" };
  const body = { name: "ann", role: "viewer", password };
  const first = await ask(site, "/api/v1/users", { method: "POST", headers, body });
  assert.equal(first.status, 200, first.text);
  assert.equal(first.headers["idempotency-replayed"], undefined);
  const again = await ask(site, "/api/v1/users", { method: "POST", headers, body });
  assert.equal(again.status, 200, "without the key it would be refused: the name is taken");
  assert.equal(again.headers["idempotency-replayed"], "true");
  assert.deepEqual(again.json, first.json);
  const other = { ...body, name: "bob" };
  assertProblem(
    await ask(site, "/api/v1/users", { method: "POST", headers, body: other }),
    422,
    "idempotency-key-reused",
  );
  assert.deepEqual(
    (await site.server.accounts.listUsers()).map(({ name }) => name),
    ["ann"],
  );
  const done = await site.server.audit.list({ limit: 50, action: "createUser", outcome: "done" });
  assert.equal(done.length, 1, "what was not done is not written down as done");
  const secret = await ask(site, "/api/v1/tokens", {
    method: "POST",
    headers: { ...headers, "idempotency-key": "k-2" },
    body: { name: "ci", role: "viewer" },
  });
  assertProblem(secret, 400, "not-repeatable");
  const failing = { ...headers, "idempotency-key": "k-3" };
  assertProblem(
    await ask(site, "/api/v1/users", { method: "POST", headers: failing, body }),
    409,
    "name-taken",
  );
  const later = await ask(site, "/api/v1/users", { method: "POST", headers: failing, body: other });
  assert.equal(later.status, 200, "a request that failed gives its key back");
});

test("API: two requests with one key at the same moment are done once", async (t) => {
  const site = await startSite(t);
  const headers = { ...adminOf(site), "idempotency-key": "k-1" };
  const body = { name: "ann", role: "viewer", password };
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => ask(site, "/api/v1/users", { method: "POST", headers, body })),
  );
  const statuses = answers.map(({ status }) => status);
  assert.ok(statuses.includes(200), statuses.join());
  assert.ok(
    statuses.every((status) => status === 200 || status === 409),
    statuses.join(),
  );
  assert.equal((await site.server.accounts.listUsers()).length, 1);
});

test("API: health and readiness are for everybody and tell nothing of the site", async (t) => {
  const site = await startSite(t);
  assert.deepEqual((await ask(site, "/api/v1/health")).json, { ok: true });
  assert.deepEqual((await ask(site, "/api/v1/ready")).json, { ok: true });
  const metrics = await ask(site, "/metrics", { headers: adminOf(site) });
  assert.match(String(metrics.headers["content-type"]), /^text\/plain; version=0\.0\.4/);
  for (const line of metrics.text.trimEnd().split("\n")) {
    const sample = /^[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"\})? -?\d+(\.\d+)?(e[+-]?\d+)?$/;
    assert.match(line, line.startsWith("#") ? /^# (HELP|TYPE) portolan_\w+ .+$/ : sample);
  }
});

test("API: how fast booting computers were answered is shown in columns, and as a histogram to Prometheus", async (t) => {
  const site = await startSite(t);
  for (const latencyMs of [0.1, 3, 4, 9000]) {
    site.server.boot.dhcp.latency.add(latencyMs);
  }
  const { json } = await ask(site, "/api/v1/server", { headers: adminOf(site) });
  const { count, maxMs, columns } = (json as ServerResource).bootAnswers;
  assert.deepEqual([count, maxMs], [4, 9000]);
  assert.deepEqual(
    columns.filter((column) => column.count > 0),
    [
      { boundMs: 0.25, count: 1 },
      { boundMs: 5, count: 2 },
      { boundMs: null, count: 1 },
    ],
  );
  const { text } = await ask(site, "/metrics", { headers: adminOf(site) });
  for (const line of ['bucket{le="0.002"} 1', 'bucket{le="0.005"} 3', 'bucket{le="+Inf"} 4', "count 4"]) {
    assert.ok(text.includes(`portolan_boot_answer_seconds_${line}\n`), line);
  }
});

test("API: a server whose database does not answer is alive and not ready, and is ready again with it", async (t) => {
  const site = await startSite(t);
  const other = new DatabaseSync(join(site.server.config.dataDir, "portolan.db"), { timeout: 30_000 });
  t.after(() => other.close());
  other.exec("ALTER TABLE users RENAME TO lost");
  const away = await ask(site, "/api/v1/ready");
  assertProblem(away, 503, "database-away");
  assert.equal(away.headers["retry-after"], "5");
  assert.doesNotMatch(away.text, /users|table|sqlite/i, "anybody may ask");
  assert.equal((await ask(site, "/api/v1/health")).status, 200);
  other.exec("ALTER TABLE lost RENAME TO users");
  assert.equal((await ask(site, "/api/v1/ready")).status, 200);
});
