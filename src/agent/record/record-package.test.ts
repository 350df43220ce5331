import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { installBundle } from "../tasks/install-bundle.ts";
import { recordBefore, recordDifference } from "./record-package.ts";

const context = { signal: new AbortController().signal };

test("recorded package: what an installer changed on one computer is what the bundle does to another", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "portolan-record-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const reference = join(folder, "reference");
  const other = join(folder, "other");
  for (const root of [reference, other]) {
    mkdirSync(join(root, "opt/old"), { recursive: true });
    writeFileSync(join(root, "opt/stays"), "stays");
    writeFileSync(join(root, "opt/config"), "before");
    writeFileSync(join(root, "opt/old/it's old"), "old");
  }
  const said: string[] = [];
  recordBefore(join(folder, "before.json"), (text) => said.push(text), [join(reference, "opt")]);
  // What an installer does: a program, a link to it, a changed file, something old removed.
  mkdirSync(join(reference, "opt/tool/bin"), { recursive: true });
  writeFileSync(join(reference, "opt/tool/bin/tool"), "#!/bin/sh\necho tool\n");
  chmodSync(join(reference, "opt/tool/bin/tool"), 0o750);
  symlinkSync("tool/bin/tool", join(reference, "opt/t"));
  writeFileSync(join(reference, "opt/config"), "after!");
  rmSync(join(reference, "opt/old"), { recursive: true });
  const bundle = join(folder, "my tool");
  recordDifference(join(folder, "before.json"), bundle, (text) => said.push(text), reference);
  assert.match(said[1] ?? "", /^5 new or changed, 2 removed/);
  assert.equal(existsSync(join(bundle, "files/opt/stays")), false, "what did not change is not in it");
  assert.match(readFileSync(join(bundle, "package.yaml"), "utf8"), /^name: my-tool\n/);
  const archive = join(folder, "bundle.tar");
  execFileSync("tar", ["--create", "--file", archive, "--directory", bundle, "files"]);
  const { outcome, files } = await installBundle("my-tool", archive, folder, context, 30_000, other);
  assert.equal(outcome.outcome, "done", JSON.stringify(outcome));
  assert.ok(files.includes(join(other, "opt/tool/bin/tool")), files.join(" "));
  assert.equal(readFileSync(join(other, "opt/config"), "utf8"), "after!");
  assert.equal(readlinkSync(join(other, "opt/t")), "tool/bin/tool");
  assert.equal(statSync(join(other, "opt/tool/bin/tool")).mode & 0o777, 0o750);
  assert.equal(readFileSync(join(other, "opt/stays"), "utf8"), "stays");
  const script = readFileSync(join(bundle, "install.sh"), "utf8").replaceAll("'/opt", `'${other}/opt`);
  execFileSync("/bin/sh", ["-c", script]);
  assert.equal(existsSync(join(other, "opt/old")), false, "what the installer removed is gone");
});
