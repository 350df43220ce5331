import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import type { SettingResource } from "#api/settings-api.ts";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { type PostgresFixture, startPostgres } from "../store/postgres-fixture.ts";
import { PlanServer } from "./plan-site.ts";

const networkObstacle = networkTestObstacle("ip", "ss");
let postgres: PostgresFixture | string = "not started";

before(async () => {
  postgres = networkObstacle ?? (await startPostgres());
});

after(async () => {
  if (typeof postgres !== "string") {
    await postgres.stop();
  }
});

async function until(condition: () => boolean, limitMs: number): Promise<number> {
  const startedAtMs = performance.now();
  while (!condition()) {
    assert.ok(performance.now() - startedAtMs < limitMs, `not so within ${limitMs} ms`);
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
  return performance.now() - startedAtMs;
}

type Site = { readonly hosts: NetworkHosts; readonly servers: Readonly<Record<string, PlanServer>> };

/** ds1 and ds2 on one database, ds3 on another, all on one segment. */
async function createSite(t: TestContext, fixture: PostgresFixture): Promise<Site> {
  const hosts = new NetworkHosts(t);
  const names = ["ds1", "ds2", "ds3"];
  hosts.segment(
    "room",
    names.map((host, index) => ({ host, interfaceName: "eth0", address: `10.9.0.${index + 1}/24` })),
  );
  const shared = await fixture.createDatabase();
  const foreign = await fixture.createDatabase();
  const servers: Record<string, PlanServer> = {};
  for (const name of names) {
    const url = name === "ds3" ? foreign : shared;
    const config = `[server]\nname = "${name}"\n[database]\nurl = "${url}"\n`;
    const server = new PlanServer(t, { hosts, host: name, interfaces: "eth0", config });
    await server.start();
    servers[name] = server;
  }
  return { hosts, servers };
}

test(
  "settings: two servers of one database follow each other, a server of another is untouched",
  { timeout: 600_000 },
  async (t) => {
    if (typeof postgres === "string") {
      t.skip(postgres);
      return;
    }
    const { hosts, servers } = await createSite(t, postgres);
    const { ds1, ds2, ds3 } = servers;
    assert.ok(ds1 !== undefined && ds2 !== undefined && ds3 !== undefined);
    const listensOn = (host: string, port: number): boolean =>
      hosts.run(host, "ss", ["-H", "-n", "-t", "-l"]).includes(`:${port} `);
    const read = (server: PlanServer, key: string): SettingResource => {
      const all = server.json("settings", "list") as SettingResource[];
      const found = all.find((setting) => setting.key === key);
      assert.ok(found !== undefined);
      return found;
    };

    ds1.json("settings", "set", "boot.httpPort", "8070");
    assert.ok(listensOn("ds1", 8070), "followed before the command came back");
    const tookMs = await until(() => listensOn("ds2", 8070) && !listensOn("ds2", 8069), 90_000);
    t.diagnostic(`the other server followed within ${Math.round(tookMs)} ms`);
    assert.ok(listensOn("ds3", 8069) && !listensOn("ds3", 8070), "the other database's server is untouched");
    assert.equal(read(ds3, "boot.httpPort").value, "8069");

    ds1.json("settings", "set", "boot.httpPort", "8071", "--server", "ds2");
    await until(() => listensOn("ds2", 8071), 90_000);
    assert.ok(listensOn("ds1", 8070), "one server's own value is its own");
    assert.deepEqual(
      [read(ds1, "boot.httpPort").servers, read(ds2, "boot.httpPort").source],
      [[{ server: "ds2", value: "8071", isOwn: true }], "server"],
    );
    const ofOther = ds1.json("settings", "list", "--server", "ds2") as SettingResource[];
    assert.equal(ofOther.find(({ key }) => key === "boot.httpPort")?.value, "8071");

    const refused = ds1.cli("settings", "set", "discovery.port", "403", "--server", "ds2");
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /belongs to the whole site/);
    assert.equal(ds1.cli("settings", "set", "boot.httpPort", "402").status, 2, "the control port is taken");
    assert.match(
      ds1.cli("settings", "list", "--server", "ds9").stderr,
      /the site has no server ds9; it has: ds1, ds2/,
    );

    ds1.json("settings", "reset", "boot.httpPort", "--server", "ds2");
    await until(() => listensOn("ds2", 8070), 90_000);
  },
);

test(
  "settings: a server that cannot follow is shown as one that differs, and follows once it can",
  { timeout: 600_000 },
  async (t) => {
    if (typeof postgres === "string") {
      t.skip(postgres);
      return;
    }
    const { hosts, servers } = await createSite(t, postgres);
    const { ds1, ds2 } = servers;
    assert.ok(ds1 !== undefined && ds2 !== undefined);
    const holder = hosts.start("ds2", process.execPath, [
      "-e",
      'require("net").createServer().listen(8070, "10.9.0.2", () => console.log("holding"))',
    ]);
    await holder.waitFor("holding");
    ds1.json("settings", "set", "boot.httpPort", "8070");
    const text = (): string => ds1.cli("settings", "list").stdout;
    await until(() => /ds2 cannot follow: http-boot: tcp port 8070.*is held by/.test(text()), 90_000);
    await until(() => ds1.cli("plan", "show").stdout.includes("flow boot.http is on, but"), 90_000);
    const differing = ds1.cli("plan", "show");
    assert.equal(differing.status, 3);
    assert.match(differing.stdout, /^DIFFERENCE at server ds2: http-boot: tcp port 8070.*is held by/m);
    assert.match(
      differing.stdout,
      /^DIFFERENCE at server ds2: flow boot\.http is on, but on eth0 nothing listens for it on tcp port 8070$/m,
    );
    assert.doesNotMatch(differing.stdout, /^DIFFERENCE: /m, "ds1 itself follows");
    holder.child.kill("SIGKILL");
    await until(() => !text().includes("cannot follow"), 90_000);
    await until(() => ds1.cli("plan", "show").status === 0, 90_000);
    assert.match(ds1.cli("plan", "show").stdout, /^server ds2: follows the plan$/m);
    assert.match(hosts.run("ds2", "ss", ["-H", "-n", "-t", "-l"]), /:8070 /);
  },
);

test(
  "plan show: a configuration file that was changed is a difference of its server, named at every server until it is restarted",
  { timeout: 600_000 },
  async (t) => {
    if (typeof postgres === "string") {
      t.skip(postgres);
      return;
    }
    const { ds1, ds2 } = (await createSite(t, postgres)).servers;
    assert.ok(ds1 !== undefined && ds2 !== undefined);
    const path = join(ds2.dataDir, "portolan.toml");
    const before = readFileSync(path, "utf8");
    writeFileSync(path, before.replace("[server]", '[server]\nrelays = ["10.9.0.254"]'));
    const sentence = "the configuration file says server.relays 10.9.0.254, and the server runs with none";
    assert.match(ds2.cli("plan", "show").stdout, new RegExp(`^DIFFERENCE: ${sentence}`, "m"));
    const shown = (): string => ds1.cli("plan", "show").stdout;
    await until(() => shown().includes(`DIFFERENCE at server ds2: ${sentence}`), 90_000);
    writeFileSync(path, before.replace("[server]", '[server]\nrelay = "10.9.0.254"'));
    await until(() => /DIFFERENCE at server ds2: .*a restart would fail.*relay/.test(shown()), 90_000);
    writeFileSync(path, before.replace("[server]", '[server]\nrelays = ["10.9.0.254"]'));
    await ds2.stop();
    await ds2.start();
    assert.equal(ds2.cli("plan", "show").status, 0);
    await until(() => ds1.cli("plan", "show").status === 0, 90_000);
  },
);

test(
  "settings: a database that goes away and comes back stops nothing, and what was changed meanwhile is followed",
  { timeout: 600_000 },
  async (t) => {
    if (typeof postgres === "string") {
      t.skip(postgres);
      return;
    }
    const { hosts, servers } = await createSite(t, postgres);
    const { ds1, ds2 } = servers;
    assert.ok(ds1 !== undefined && ds2 !== undefined);
    await postgres.kill();
    await new Promise((resolve) => {
      setTimeout(resolve, 3000);
    });
    assert.match(hosts.run("ds2", "ss", ["-H", "-n", "-t", "-l"]), /:8069 /, "it serves on");
    await postgres.restart();
    await until(() => ds1.cli("settings", "set", "boot.httpPort", "8070").status === 0, 60_000);
    await until(() => hosts.run("ds2", "ss", ["-H", "-n", "-t", "-l"]).includes(":8070 "), 90_000);
  },
);
