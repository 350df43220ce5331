import assert from "node:assert/strict";
import { test } from "node:test";
import { runScript, scriptCall } from "./run-script.ts";

const context = { signal: new AbortController().signal };
const shell = { interpreter: "/bin/sh", timeoutMs: 60_000 };

test("script task: exit code 0 is done, another one is a failure with the end of the output", async () => {
  assert.deepEqual(await runScript({ ...shell, script: "true" }, context), {
    outcome: "done",
    reason: null,
    exitCode: 0,
  });
  assert.deepEqual(await runScript({ ...shell, script: "echo no disk >&2; exit 4" }, context), {
    outcome: "failed",
    reason: "exit code 4: no disk",
    exitCode: 4,
  });
});

test("script task: one that leaves a service running is done all the same", async () => {
  const startedAtMs = performance.now();
  const outcome = await runScript({ ...shell, script: "sleep 30 &" }, context);
  assert.equal(outcome.outcome, "done");
  assert.ok(performance.now() - startedAtMs < 25_000);
});

test("script task: at its time limit it fails, whatever it waits for", async () => {
  const script = "echo waiting; sleep 60 & wait";
  assert.deepEqual(await runScript({ ...shell, script, timeoutMs: 2000 }, context), {
    outcome: "failed",
    reason: "ended at its limit of 2000 ms: waiting",
  });
});

test("script task: an interpreter that is not there is a failure that names it", async () => {
  const outcome = await runScript({ ...shell, script: "", interpreter: "/no/such/shell" }, context);
  assert.equal(outcome.outcome, "failed");
  assert.match(outcome.reason ?? "", /\/no\/such\/shell/);
});

test("script task: PowerShell and cmd.exe get a file with the ending they want, wherever they are", () => {
  const powerShell = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe";
  assert.equal(scriptCall(powerShell).fileName, "script.ps1");
  assert.equal(scriptCall(powerShell).words.at(-1), "-File");
  assert.deepEqual(scriptCall("CMD.EXE"), { fileName: "script.cmd", words: ["/d", "/c"] });
  assert.deepEqual(scriptCall("/usr/bin/python3"), { fileName: "script", words: [] });
});
