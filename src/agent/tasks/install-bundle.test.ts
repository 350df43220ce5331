import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { installBundle, uninstallBundle } from "./install-bundle.ts";
import { readPackageRecord, writePackageRecord } from "./package-record.ts";

const context = { signal: new AbortController().signal };

/** A bundle and an empty computer. */
function prepare(t: TestContext, scripts: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "portolan-bundle-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const source = join(folder, "source");
  mkdirSync(join(source, "files/opt/tool"), { recursive: true });
  writeFileSync(join(source, "files/opt/tool/data"), "data");
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(source, name), text);
  }
  const archive = join(folder, "bundle.tar");
  execFileSync("tar", [
    "--create",
    "--file",
    archive,
    "--directory",
    source,
    "files",
    ...Object.keys(scripts),
  ]);
  const root = join(folder, "root");
  mkdirSync(join(root, "opt"), { recursive: true });
  return { folder, archive, root, stateDir: join(folder, "state") };
}

test("bundle: files go to their places, the script runs after them, uninstalling takes back what came", async (t) => {
  const { folder, archive, root, stateDir } = prepare(t, {
    "install.sh": "test -e uninstall.sh && exit 0; exit 9\n",
    "uninstall.sh": "exit 0\n",
  });
  chmodSync(join(root, "opt"), 0o711);
  const { outcome, files } = await installBundle("tool", archive, stateDir, context, 30_000, root);
  assert.equal(outcome.outcome, "done", JSON.stringify(outcome));
  assert.equal(readFileSync(join(root, "opt/tool/data"), "utf8"), "data");
  assert.equal(statSync(join(root, "opt")).mode & 0o777, 0o711, "folders that were there keep their mode");
  await writePackageRecord(stateDir, { name: "tool", version: "1", contentId: "c", files });
  writeFileSync(join(root, "opt/other"), "of somebody else");
  assert.equal((await uninstallBundle("tool", stateDir, context, 30_000)).outcome, "done");
  assert.equal(existsSync(join(root, "opt/tool")), false);
  assert.equal(readFileSync(join(root, "opt/other"), "utf8"), "of somebody else");
  assert.equal(await readPackageRecord(stateDir, "tool"), null);
  assert.ok(existsSync(folder));
});

test("bundle: a script that fails is the task's failure, with its code and its last words", async (t) => {
  const { archive, root, stateDir } = prepare(t, { "install.sh": "echo no room >&2; exit 28\n" });
  const { outcome } = await installBundle("tool", archive, stateDir, context, 30_000, root);
  assert.deepEqual(outcome, { outcome: "failed", reason: "exit code 28: no room", exitCode: 28 });
});

test("bundle: what is no archive, and a name that leads elsewhere, are refused", async (t) => {
  const { folder, root, stateDir } = prepare(t, {});
  writeFileSync(join(folder, "none.tar"), "this is no tar");
  const { outcome } = await installBundle("tool", join(folder, "none.tar"), stateDir, context, 30_000, root);
  assert.equal(outcome.outcome, "failed");
  await assert.rejects(uninstallBundle("../../etc", stateDir, context, 1000), /no name for a package/);
});
