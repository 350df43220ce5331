import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { renewSshHostKeys } from "./ssh-host-keys.ts";

test("SSH host keys: OpenSSH reads the new ones, and public and private halves belong together", async (t) => {
  if (spawnSync("ssh-keygen", ["-?"]).error !== undefined) {
    t.skip("needs ssh-keygen");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "portolan-ssh-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const kinds = ["ed25519", "rsa", "ecdsa"];
  for (const kind of kinds) {
    writeFileSync(join(folder, `ssh_host_${kind}_key`), "old");
  }
  writeFileSync(join(folder, "ssh_host_dsa_key"), "old");
  assert.deepEqual(await renewSshHostKeys(folder, "pc1"), ["ssh_host_dsa_key"]);
  for (const kind of kinds) {
    const path = join(folder, `ssh_host_${kind}_key`);
    const derived = spawnSync("ssh-keygen", ["-y", "-f", path], { encoding: "utf8" });
    assert.equal(derived.status, 0, derived.stderr);
    const written = readFileSync(`${path}.pub`, "utf8");
    assert.deepEqual(derived.stdout.trim().split(" ").slice(0, 2), written.split(" ").slice(0, 2));
    assert.equal(statSync(path).mode & 0o777, 0o600);
  }
});
