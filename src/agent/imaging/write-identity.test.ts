import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { writeLinuxIdentity } from "./write-identity.ts";

test("identity: a restored Linux has a name and an id of its own, and no key of the captured agent", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "portolan-root-"));
  t.after(() => rmSync(root, { recursive: true }));
  const write = (path: string, text: string): void => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
  write("etc/fstab", "");
  write("etc/hostname", "golden\n");
  write("etc/hosts", "127.0.0.1 localhost\n127.0.1.1 golden\n");
  write("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  write("var/lib/dbus/machine-id", "0123456789abcdef0123456789abcdef\n");
  write("var/lib/portolan-agent/key.pem", "the captured computer's own");
  write("etc/portolan/agent.toml", 'server = "10.9.0.1"\n');

  assert.equal(await writeLinuxIdentity(root, { hostName: "pc7", address: null, unattend: null }), null);

  assert.equal(readFileSync(join(root, "etc/hostname"), "utf8").trim(), "pc7");
  assert.equal(readFileSync(join(root, "etc/machine-id"), "utf8"), "");
  assert.ok(!existsSync(join(root, "var/lib/dbus/machine-id")));
  assert.ok(!existsSync(join(root, "var/lib/portolan-agent")));
  assert.ok(existsSync(join(root, "etc/portolan/agent.toml")), "its settings stay");
});
