import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { runTestFile, type TestFileOutcome } from "./run-test-file.ts";

const header = `import { spawn } from "node:child_process";\nimport { test } from "node:test";\n`;

function runText(t: TestContext, text: string, timeoutMs: number): Promise<TestFileOutcome> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-test-file-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "written.test.mjs");
  writeFileSync(path, header + text);
  return runTestFile(path, timeoutMs);
}

test("test file: what passed, failed and was skipped is counted, one that waits for ever as failed", async (t) => {
  const text = `test("a", () => {});
    test("b", () => { throw new Error("no"); });
    test("c", { skip: "not here" }, () => {});
    test("d", () => new Promise(() => {}));`;
  const { counts, output } = await runText(t, text, 20_000);
  assert.deepEqual(counts, { passed: 1, failed: 2, skipped: 1 });
  assert.match(output, /✔ a/);
  assert.match(output, /✖ d /);
});

test("test file: one that does not end fails by name, when its time is over", async (t) => {
  const { counts, output } = await runText(t, `test("a", () => { setInterval(() => {}, 1000); });`, 5000);
  assert.deepEqual(counts, { passed: 0, failed: 1, skipped: 0 });
  assert.match(output, /written\.test\.mjs: did not end within/);
});

test("test file: one that is killed, or ends badly after its tests, fails", async (t) => {
  for (const text of [
    `test("a", () => process.kill(process.pid, "SIGKILL"));`,
    `test("a", () => { process.once("exit", () => { process.exitCode = 3; }); });`,
  ]) {
    const { counts, output } = await runText(t, text, 20_000);
    assert.deepEqual([counts.passed, counts.failed], [0, 1]);
    assert.match(output, /ended with (?:SIGKILL|3)/);
  }
});

test("test file: a process that it leaves behind with its output is a failure, and waited for 10 s", async (t) => {
  const text = `test("a", () => { spawn("sleep", ["20"], { stdio: "inherit" }).unref(); });`;
  const { counts, output } = await runText(t, text, 20_000);
  assert.deepEqual(counts, { passed: 0, failed: 1, skipped: 0 });
  assert.match(output, /left a process running/);
});
