import { spawnSync } from "node:child_process";
import { listSourceFiles } from "./source-files.ts";

type Step = { readonly title: string; readonly program: string; readonly args: readonly string[] };

const bin = (name: string): string => `node_modules/.bin/${name}`;
const unitTests = listSourceFiles()
  .map((file) => file.path)
  .filter((path) => /^(?:src|tools)\/.*\.test\.ts$/.test(path));

/** Cheapest first. `npm run check` is what a contributor runs, and the first thing the gate runs. */
const steps: readonly Step[] = [
  { title: "format", program: bin("oxfmt"), args: ["--check", "."] },
  { title: "import table", program: process.execPath, args: ["tools/check-modules.ts"] },
  { title: "names and sizes", program: process.execPath, args: ["tools/check-style.ts"] },
  { title: "generated files", program: process.execPath, args: ["tools/generate.ts", "--check"] },
  { title: "documents", program: process.execPath, args: ["tools/check-docs.ts"] },
  { title: "types", program: bin("tsc"), args: ["-p", "."] },
  { title: "types of the console", program: bin("tsc"), args: ["-p", "console"] },
  { title: "lint", program: bin("oxlint"), args: ["--type-aware", "--deny-warnings"] },
  { title: "dead code", program: bin("knip"), args: ["--no-progress"] },
  { title: "unit tests", program: process.execPath, args: ["--test", "--test-reporter=dot", ...unitTests] },
];

function main(): void {
  const withoutTests = process.argv.includes("--without-tests");
  const failed: string[] = [];
  for (const step of steps) {
    if (withoutTests && step.title === "unit tests") {
      continue;
    }
    const startedAtMs = Date.now();
    const outcome = spawnSync(step.program, step.args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1);
    if (outcome.status === 0) {
      console.log(`ok    ${step.title} (${seconds} s)`);
      continue;
    }
    failed.push(step.title);
    console.log(`FAIL  ${step.title} (${seconds} s)`);
    console.log(`${outcome.stdout ?? ""}${outcome.stderr ?? ""}${outcome.error?.message ?? ""}`.trimEnd());
  }
  console.log(failed.length === 0 ? "check: all good" : `check: failed: ${failed.join(", ")}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

main();
