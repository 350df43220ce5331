import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError, loadConfig, parseConfigFile } from "./config.ts";

test("config: an unknown key is an error that names the nearest valid one", () => {
  assert.throws(
    () => parseConfigFile("x.toml", '[server]\ninterface = ["eth0"]\n'),
    (error) => error instanceof ConfigError && error.message.includes("did you mean interfaces?"),
  );
  assert.throws(
    () => parseConfigFile("x.toml", "[databse]\n"),
    (error) => error instanceof ConfigError && error.message.includes("did you mean database?"),
  );
});

test("config: a relay that is no address, and a file that is no TOML, are refused with their place", () => {
  assert.throws(
    () => parseConfigFile("x.toml", '[server]\nrelays = ["10.2.0"]\n'),
    (error) => error instanceof ConfigError && error.message.includes("server.relays.0"),
  );
  assert.throws(
    () => parseConfigFile("x.toml", "[server\n"),
    (error) => error instanceof ConfigError && error.message.startsWith("x.toml:"),
  );
});

test("config: flags win over the file, and --interface adds to it", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-config-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "portolan.toml");
  writeFileSync(
    path,
    '[server]\nname = "ds1"\ninterfaces = ["eth0"]\ndataDir = "/srv/p"\n[console]\nport = 9443\n',
  );
  const config = loadConfig({ config: path, interface: "eth1,eth0", consolePort: 8444 });
  assert.deepEqual(config.interfaces, ["eth0", "eth1"]);
  assert.equal(config.name, "ds1");
  assert.equal(config.dataDir, "/srv/p");
  assert.equal(config.consolePort, 8444);
  assert.equal(config.databaseUrl, "sqlite:");
});

test("config: without any interface nothing starts", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-config-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "portolan.toml");
  writeFileSync(path, "");
  assert.throws(() => loadConfig({ config: path }), ConfigError);
  assert.throws(() => loadConfig({ config: join(folder, "missing.toml"), interface: "eth0" }), ConfigError);
});
