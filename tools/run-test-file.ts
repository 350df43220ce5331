import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

export type TestCounts = { readonly passed: number; readonly failed: number; readonly skipped: number };

export type TestFileOutcome = { readonly counts: TestCounts; readonly output: string };

const summarySchema = z.object({
  tests: z.number(),
  passed: z.number(),
  skipped: z.number(),
  todo: z.number(),
});

/** How long a process that the file started may outlive it. */
const graceMs = 10_000;

const running = new Set<number>();

/** For a run that is broken off: ends the test files that run, with all they started. */
export function endRunningTestFiles(): void {
  for (const leader of running) {
    endGroup(leader);
  }
}

/**
 * Runs one test file in a process group of its own, to its end or to `timeoutMs`.
 * Node's runner has a limit for each test and none for a file: one open socket, or one process left behind that holds
 * the output, would hang the whole run. Here all three are failures with a name.
 */
export async function runTestFile(path: string, timeoutMs: number): Promise<TestFileOutcome> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-tests-"));
  const countsPath = join(folder, "counts.json");
  try {
    const { output, fault, exit } = await runToEnd(path, countsPath, timeoutMs);
    const counts = fault === null ? readCounts(countsPath) : null;
    if (counts !== null && (exit === 0 || counts.failed > 0)) {
      return { counts, output };
    }
    const why = fault ?? `ended with ${exit}, and no test of it says why`;
    return { counts: { passed: 0, failed: 1, skipped: 0 }, output: `${output}✖ ${path}: ${why}\n` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runToEnd(
  path: string,
  countsPath: string,
  timeoutMs: number,
): Promise<{ output: string; fault: string | null; exit: number | string }> {
  const reporters = [
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=./tools/count-tests.ts",
    `--test-reporter-destination=${countsPath}`,
  ];
  // A little less than the file has, so that a test that waits for ever is named.
  const limit = `--test-timeout=${Math.floor(timeoutMs * 0.9)}`;
  const child = spawn(process.execPath, [limit, ...reporters, path], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    // Inside of a test it would report to that test's runner, not to the file.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  let output = "";
  const append = (part: Buffer): void => {
    output += part.toString("utf8");
  };
  const leader = child.pid ?? null;
  if (leader !== null) {
    running.add(leader);
  }
  child.stdout.on("data", append);
  child.stderr.on("data", append);
  let fault: string | null = null;
  let exit: number | string = 0;
  const timer = setTimeout(() => {
    fault = `did not end within ${Math.round(timeoutMs / 1000)} s; something it opened is open still, or a test hangs`;
    endGroup(leader);
  }, timeoutMs);
  const closed = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
  });
  await new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      exit = signal ?? code ?? 0;
      resolve();
    });
    child.once("error", (error) => {
      fault = error.message;
      resolve();
    });
  });
  clearTimeout(timer);
  const isClosed = await Promise.race([closed.then(() => true), delay(graceMs, false, { ref: false })]);
  if (!isClosed) {
    fault ??= `left a process running that holds its output ${graceMs / 1000} s later`;
    endGroup(leader);
    child.stdout.destroy();
    child.stderr.destroy();
  }
  if (leader !== null) {
    running.delete(leader);
  }
  return { output, fault, exit };
}

function endGroup(leader: number | null): void {
  try {
    if (leader !== null) {
      process.kill(-leader, "SIGKILL");
    }
  } catch {
    // Nothing of the group is left.
  }
}

/** Whatever neither passed nor says why it was skipped has failed, cancelled ones included. */
function readCounts(path: string): TestCounts | null {
  if (!existsSync(path)) {
    return null;
  }
  const summary = summarySchema.safeParse(JSON.parse(readFileSync(path, "utf8") || "null"));
  if (!summary.success) {
    return null;
  }
  const { tests, passed, skipped, todo } = summary.data;
  return { passed, skipped: skipped + todo, failed: tests - passed - skipped - todo };
}
