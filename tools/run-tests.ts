import { spawnSync } from "node:child_process";
import { endRunningTestFiles, runTestFile, type TestCounts } from "./run-test-file.ts";
import { listSourceFiles } from "./source-files.ts";

/** Test files, by how their paths begin, that run one after the other. The lanes of a stage run side by side. */
type Lane = { readonly folders: readonly string[]; readonly fileTimeoutMs: number };

type Stage = { readonly title: string; readonly lanes: readonly Lane[] };

const minuteMs = 60_000;

/** What has not ended by then counts as failed: a late answer is worth more than none. */
const deadlineMs = 85 * minuteMs;

/** Cheapest first; what only pure code needs, then real sockets and programs, then virtual computers. */
const stages: readonly Stage[] = [
  {
    title: "unit tests",
    lanes: [
      { folders: ["src/engine/", "src/wire/"], fileTimeoutMs: 5 * minuteMs },
      { folders: ["src/", "tools/"], fileTimeoutMs: 5 * minuteMs },
    ],
  },
  // Side by side, since most of them wait most of the time; each has network namespaces and folders of its own.
  {
    title: "with real programs and sockets",
    lanes: [
      {
        folders: ["test/agent/", "test/boot/", "test/imaging/", "test/platform/"],
        fileTimeoutMs: 12 * minuteMs,
      },
      { folders: ["test/"], fileTimeoutMs: 12 * minuteMs },
    ],
  },
  // Not beside the others: proofs of the plan judge how late an answer is.
  {
    title: "the plan, proven",
    lanes: [
      {
        folders: ["test/plan/faults", "test/plan/kernel", "test/plan/site-servers"],
        fileTimeoutMs: 12 * minuteMs,
      },
      { folders: ["test/plan/"], fileTimeoutMs: 12 * minuteMs },
    ],
  },
  // Alone: three virtual computers keep both processors of a small machine busy.
  { title: "virtual computers", lanes: [{ folders: ["test/lab/"], fileTimeoutMs: 20 * minuteMs }] },
];

const total = { passed: 0, failed: 0, skipped: 0 };

function add({ passed, failed, skipped }: TestCounts): void {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
}

/** The stage and lane whose folder is the longest that holds the file. */
function laneOf(path: string): Lane | undefined {
  const lanes = stages.flatMap((stage) => stage.lanes);
  const fit = (lane: Lane): number =>
    Math.max(0, ...lane.folders.filter((folder) => path.startsWith(folder)).map((folder) => folder.length));
  return lanes.filter((lane) => fit(lane) > 0).toSorted((a, b) => fit(b) - fit(a))[0];
}

/** What failing files said, to be read at the end of a long run: BOUNDED by `failureLineCountMax` lines each. */
const failures: string[] = [];
const failureLineCountMax = 60;

function keepFailure(path: string, lines: readonly string[]): void {
  const said = lines.filter((line) => !/^\s*✔ /.test(line));
  failures.push([`-- ${path}`, ...said.slice(-failureLineCountMax)].join("\n"));
}

async function runLane(files: readonly string[], lane: Lane): Promise<void> {
  for (const path of files) {
    const leftMs = deadlineMs - performance.now();
    if (leftMs < minuteMs) {
      const why = `✖ ${path}: not begun, the ${deadlineMs / minuteMs} minutes for all are over`;
      console.log(why);
      keepFailure(path, [why]);
      add({ passed: 0, failed: 1, skipped: 0 });
      continue;
    }
    const startedAtMs = performance.now();
    const { counts, output } = await runTestFile(path, Math.min(lane.fileTimeoutMs, leftMs));
    add(counts);
    // Node's own counts of each file would drown what there is to read.
    const lines = output.split("\n").filter((line) => line !== "" && !nodeCountLine.test(line));
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    console.log(`-- ${path} (${seconds} s)\n${lines.join("\n")}`);
    if (counts.failed > 0) {
      keepFailure(path, lines);
    }
  }
}

const nodeCountLine = /^ℹ (?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

function check(): void {
  console.log("== check");
  const { status } = spawnSync(process.execPath, ["tools/check.ts", "--without-tests"], { stdio: "inherit" });
  if (status === 0) {
    add({ passed: 1, failed: 0, skipped: 0 });
  } else {
    add({ passed: 0, failed: 1, skipped: 0 });
    keepFailure("check", ["see what it said at the beginning"]);
  }
}

async function main(): Promise<void> {
  const only = process.argv.slice(2);
  if (only.length === 0) {
    check();
  }
  const testFiles = listSourceFiles()
    .map((file) => file.path)
    .filter((path) => path.endsWith(".test.ts"))
    .filter((path) => only.length === 0 || only.some((wanted) => path.startsWith(wanted)))
    .toSorted();
  for (const stage of stages) {
    const filesOf = (lane: Lane): string[] => testFiles.filter((path) => laneOf(path) === lane);
    const count = stage.lanes.flatMap(filesOf).length;
    if (count > 0) {
      console.log(`== ${stage.title}: ${count} files`);
      await Promise.all(stage.lanes.map((lane) => runLane(filesOf(lane), lane)));
    }
  }
  if (failures.length > 0) {
    console.log(`== what failed, once more\n${failures.join("\n")}`);
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

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    endRunningTestFiles();
    process.exit(1);
  });
}
await main();
