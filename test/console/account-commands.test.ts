import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { type TestContext, test } from "node:test";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import { ask, startSite } from "./console-site.ts";

const password = "correct horse battery";

type Printed = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** The program itself, against a server of this process. */
function portolan(site: SimulatedSite, ...args: readonly string[]): Promise<Printed> {
  return new Promise((resolve) => {
    const all = [...args, "--data", site.server.config.dataDir];
    execFile("bin/portolan", all, { timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

async function startWithHistory(t: TestContext): Promise<SimulatedSite> {
  const site = await startSite(t);
  const headers = { authorization: `Bearer ${site.server.adminToken}` };
  for (const name of ["ann", "bob"]) {
    const body = { name, role: "viewer", password };
    assert.equal((await ask(site, "/api/v1/users", { method: "POST", headers, body })).status, 200);
  }
  await ask(site, "/api/v1/users/ann/role", { method: "PUT", headers, body: { role: "operator" } });
  await ask(site, "/api/v1/login", { method: "POST", body: { name: "ann", password: "a guess" } });
  return site;
}

test("audit command: it is asked by who, what, on what, outcome and time", async (t) => {
  const site = await startWithHistory(t);
  const actions = async (...flags: string[]): Promise<string[]> => {
    const printed = await portolan(site, "audit", "--json", ...flags);
    assert.equal(printed.code, 0, printed.stderr);
    return (JSON.parse(printed.stdout) as { action: string }[]).map(({ action }) => action);
  };
  assert.deepEqual(await actions("--since", "1h"), ["login", "setUserRole", "createUser", "createUser"]);
  assert.deepEqual(await actions("--who", "ann", "--outcome", "refused", "--from", "127.0.0.1"), ["login"]);
  assert.deepEqual(await actions("--on", "ann", "--what", "setUserRole"), ["setUserRole"]);
  const nothing = await portolan(site, "audit", "--until", "2020-01-01");
  assert.match(nothing.stdout, /nothing like that/);
});

test("token command: how long it is good for and whether it may erase many computers are flags", async (t) => {
  const site = await startSite(t);
  const made = await portolan(
    site,
    "token",
    "create",
    "ci",
    "operator",
    "--fleet-work",
    "--days",
    "never",
    "--json",
  );
  assert.equal(made.code, 0, made.stderr);
  const { token } = JSON.parse(made.stdout) as {
    token: { allowsFleetWork: boolean; expiresAt: number | null };
  };
  assert.deepEqual([token.allowsFleetWork, token.expiresAt], [true, null]);
  const wrong = await portolan(site, "token", "create", "ci", "operator", "--days", "soon");
  assert.equal(wrong.code, 2);
});

test("user command: a second factor that is lost is reset", async (t) => {
  const site = await startWithHistory(t);
  const printed = await portolan(site, "user", "reset-second-factor", "ann");
  assert.equal(printed.code, 0, printed.stderr);
  assert.match(printed.stdout, /ann logs in by password alone/);
  const [entry] = await site.server.audit.list({ limit: 1 });
  assert.deepEqual([entry?.action, entry?.target, entry?.outcome], ["resetSecondFactor", "ann", "done"]);
  const unknown = await portolan(site, "user", "reset-second-factor", "nosuch");
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /there is no account nosuch/);
});

test("settings commands: the login provider's secret comes from standard input and is never shown", async (t) => {
  const site = await startSite(t);
  const none = await portolan(site, "settings", "provider");
  assert.match(none.stdout, /no login provider; .*cannot send browsers back yet; .*console\.name NAME/s);
  const run = async (...args: string[]): Promise<void> => {
    const printed = await portolan(site, "settings", "set", ...args);
    assert.equal(printed.code, 0, printed.stderr);
  };
  await run("console.name", "portolan.example.org");
  await run("login.issuer", "http://127.0.0.1:9");
  const plain = await portolan(site, "settings", "set", "login.issuer", "http://login.example.org");
  assert.notEqual(plain.code, 0);
  assert.match(plain.stderr, /must be an https address/);
  const kept = await new Promise<string>((resolve) => {
    const child = execFile(
      "bin/portolan",
      ["settings", "provider-secret", "--data", site.server.config.dataDir],
      { timeout: 60_000 },
      (error, stdout, stderr) => resolve(`${error?.message ?? ""}${stdout}${stderr}`),
    );
    child.stdin?.end("of the provider\n");
  });
  assert.match(kept, /the secret is kept/);
  assert.equal(await site.server.providerSecret.read(), "of the provider");
  const shown = await portolan(site, "settings", "provider");
  const port = site.server.config.consolePort;
  assert.match(shown.stdout, /login provider http:\/\/127\.0\.0\.1:9, with a secret: .*ECONNREFUSED/);
  assert.ok(shown.stdout.includes(`https://portolan.example.org:${port}/login/provider`), shown.stdout);
  const listed = await portolan(site, "settings", "list");
  assert.ok(!`${kept}${shown.stdout}${listed.stdout}`.includes("of the provider"));
});
