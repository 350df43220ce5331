import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { runProgram } from "./run-program.ts";

const limits = { timeoutMs: 60_000, outputBytesMax: 1000 };

function shell(script: string): { readonly program: string; readonly args: readonly string[] } {
  return { program: "/bin/sh", args: ["-c", script] };
}

/** A process that nobody has waited for yet is a zombie, which runs no more. */
async function hasEnded(pid: string): Promise<boolean> {
  for (let round = 0; round < 3000; round += 1) {
    if (!existsSync(`/proc/${pid}/fd/0`)) {
      return true;
    }
    await sleep(10);
  }
  return false;
}

test("programs: exit code and both streams are told, arguments reach them as they are", async () => {
  const outcome = await runProgram({ ...limits, ...shell("echo out; echo err >&2; exit 3") });
  assert.ok(outcome.type === "exited");
  assert.equal(outcome.exitCode, 3);
  assert.deepEqual(outcome.output.split("\n").toSorted(), ["", "err", "out"]);
  const plain = await runProgram({ ...limits, program: "/bin/echo", args: ["$(id) ; rm *"] });
  assert.deepEqual(plain, { type: "exited", exitCode: 0, output: "$(id) ; rm *\n" });
});

test("programs: one that does not exist is a value, not a crash", async () => {
  const outcome = await runProgram({ ...limits, program: "/no/such/program", args: [] });
  assert.ok(outcome.type === "not-started");
  assert.match(outcome.reason, /ENOENT/);
});

test("programs: of endless output the end is kept", async () => {
  const script = "yes 0123456789 | head -c 5000000; echo the end";
  const outcome = await runProgram({ ...limits, ...shell(script) });
  assert.ok(outcome.type === "exited");
  assert.equal(outcome.output.length, 1000);
  assert.ok(outcome.output.endsWith("the end\n"));
});

test("programs: at the time limit everything they started is killed with them", async () => {
  const startedAtMs = performance.now();
  const outcome = await runProgram({ ...limits, ...shell("sleep 600 & echo $!; wait"), timeoutMs: 2000 });
  assert.ok(performance.now() - startedAtMs < 60_000);
  assert.ok(outcome.type === "killed");
  assert.equal(outcome.because, "timeout");
  assert.match(outcome.output, /^\d+\n$/);
  assert.equal(await hasEnded(outcome.output.trim()), true);
});

test("programs: cancelling kills, before the start and after it", async () => {
  const controller = new AbortController();
  const running = runProgram({ ...limits, ...shell("sleep 600"), signal: controller.signal });
  await sleep(50);
  controller.abort();
  const outcome = await running;
  assert.ok(outcome.type === "killed");
  assert.equal(outcome.because, "cancelled");
  const late = await runProgram({ ...limits, ...shell("true"), signal: controller.signal });
  assert.equal(late.type, "not-started");
});

test("programs: a service left in the background neither delays the end nor is killed", async () => {
  const startedAtMs = performance.now();
  const outcome = await runProgram({ ...limits, ...shell("sleep 600 & echo $!") });
  assert.ok(performance.now() - startedAtMs < 60_000);
  assert.ok(outcome.type === "exited");
  const pid = outcome.output.trim();
  assert.equal(existsSync(`/proc/${pid}/fd/0`), true);
  process.kill(Number(pid), "SIGKILL");
});
