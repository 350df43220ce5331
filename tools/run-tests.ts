import { spawnSync } from "node:child_process";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { listSourceFiles } from "./source-files.ts";

type Counts = { passed: number; failed: number; skipped: number };

type Stage = {
  readonly title: string;
  /** Folders whose `*.test.ts` files belong to the stage. */
  readonly folders: readonly string[];
  /** Test files at once: 1 where they load the machine or share names of namespaces. */
  readonly concurrency: number;
};

/** Cheapest first; what only pure code needs, then real sockets and programs, then virtual computers. */
const stages: readonly Stage[] = [
  { title: "unit tests", folders: ["src/", "tools/"], concurrency: 2 },
  { title: "with real programs and sockets", folders: ["test/"], concurrency: 1 },
];

const lastFolder = "test/lab/";

async function runFiles(files: readonly string[], concurrency: number): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const stream = run({ files: [...files], concurrency, timeout: 20 * 60_000 });
  stream.on("test:summary", (summary) => {
    if (summary.file === undefined) {
      const { tests, passed, skipped, todo } = summary.counts;
      counts.passed = passed;
      counts.skipped = skipped + todo;
      // Whatever neither passed nor says why it was skipped has failed, cancelled ones included.
      counts.failed = tests - passed - skipped - todo;
    }
  });
  for await (const chunk of stream.compose(spec)) {
    process.stdout.write(String(chunk));
  }
  return counts;
}

async function main(): Promise<void> {
  const only = process.argv.slice(2);
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const add = (counts: Counts): void => {
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  };
  if (only.length === 0) {
    console.log("== check");
    const check = spawnSync(process.execPath, ["tools/check.ts", "--without-tests"], { stdio: "inherit" });
    add(check.status === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 });
  }
  const testFiles = listSourceFiles()
    .map((file) => file.path)
    .filter((path) => path.endsWith(".test.ts"))
    .filter((path) => only.length === 0 || only.some((wanted) => path.startsWith(wanted)));
  for (const stage of stages) {
    const files = testFiles
      .filter((path) => stage.folders.some((folder) => path.startsWith(folder)))
      .toSorted(
        (a, b) => Number(a.startsWith(lastFolder)) - Number(b.startsWith(lastFolder)) || (a < b ? -1 : 1),
      );
    if (files.length > 0) {
      console.log(`== ${stage.title}: ${files.length} files`);
      add(await runFiles(files, stage.concurrency));
    }
  }
  if (total.passed + total.failed + total.skipped === 0) {
    console.error("no test was found");
    process.exitCode = 1;
  }
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  if (total.failed > 0) {
    process.exitCode = 1;
  }
}

await main();
