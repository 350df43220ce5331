import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

function portolan(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync("bin/portolan", [...args], { encoding: "utf8", timeout: 120_000 });
}

test("CLI: a wrong command, option or setting is answered with the nearest one and exit code 2", () => {
  const command = portolan("compter", "list");
  assert.equal(command.status, 2);
  assert.match(command.stderr, /did you mean `?computer/);
  const option = portolan("computer", "list", "--jsn");
  assert.equal(option.status, 2);
  assert.match(option.stderr, /did you mean --json\?/);
  assert.doesNotMatch(option.stderr, /at .*\.ts:/);
  const setting = portolan("settings", "set", "transfer.prt", "5");
  assert.equal(setting.status, 2);
  assert.match(setting.stderr, /did you mean transfer\.port\?/);
});

test("CLI: without a server the error names the data directory and the way out", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const answer = portolan("status", "--data", folder);
  assert.equal(answer.status, 1);
  assert.match(answer.stderr, /no server has run with the data directory .*portolan serve/s);
});

test("CLI: decode prints a capture for people and one JSON value for programs", () => {
  const path = "src/wire/dhcp4/fixtures/ovmf-http-boot.pcap";
  const text = portolan("decode", path);
  assert.equal(text.status, 0, text.stderr);
  assert.match(text.stdout, /DHCP discover/);
  const json = portolan("decode", path, "--json");
  assert.ok(Array.isArray(JSON.parse(json.stdout)));
  const wrong = portolan("decode", "package.json");
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /no capture that can be read/);
});

test("CLI: completion proposes commands from the table itself", () => {
  assert.match(portolan("__complete", "computer", "a").stdout, /^approve$/m);
});

test("serve: an unknown configuration key and a missing interface are exit code 2, named", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "portolan.toml");
  writeFileSync(path, '[server]\ninterface = ["eth0"]\n');
  const unknown = portolan("serve", "--config", path, "--data", folder);
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /did you mean interfaces\?/);
  const missing = portolan("serve", "--data", folder, "--interface", "nosuch0");
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /there is no interface nosuch0 .* there are: /);
});
