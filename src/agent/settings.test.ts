import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AgentConfigError } from "./config.ts";
import { changeSettings, showStatus, writeSettings } from "./settings.ts";

test("agent settings: a value is checked before the file is replaced, and the file survives a wrong one", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-settings-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "etc/agent.toml");
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  await assert.rejects(writeSettings(path, { server: "10.0.0.1" }), AgentConfigError);
  await writeSettings(path, { siteKey: "a".repeat(64), stateDir: folder });
  await changeSettings({ path, words: ["server", "10.0.0.9"], say });
  const good = readFileSync(path, "utf8");
  assert.match(good, /server = "10\.0\.0\.9"/);
  await assert.rejects(changeSettings({ path, words: ["server", "nowhere"], say }), AgentConfigError);
  await assert.rejects(changeSettings({ path, words: ["sever", "10.0.0.1"], say }), /is it server\?/);
  assert.equal(readFileSync(path, "utf8"), good);
  await changeSettings({ path, words: ["lock", "open sesame"], say });
  assert.doesNotMatch(readFileSync(path, "utf8"), /sesame/);
  const change = (password?: string): Promise<void> =>
    changeSettings({ path, words: ["server", "10.0.0.8"], password, say });
  await assert.rejects(change(), /settings are locked/);
  for (let count = 0; count < 4; count += 1) {
    await assert.rejects(change("wrong"), /password is wrong/);
  }
  await change("open sesame");
  assert.match(readFileSync(path, "utf8"), /10\.0\.0\.8/);
  for (let count = 0; count < 5; count += 1) {
    await assert.rejects(change("wrong"), /password is wrong/);
  }
  await assert.rejects(change("open sesame"), /too many wrong passwords/);
  writeFileSync(path, good);
  said.length = 0;
  assert.equal(showStatus({ path, say }), 1);
  assert.match(said.join("\n"), /server: at 10\.0\.0\.9, TCP port 402[^]*not let in yet/);
});
