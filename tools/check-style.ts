import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import { listSourceFiles, type SourceFile } from "./source-files.ts";

const fileLinesMax = 400;
const functionLinesMax = 70;
/** Test files hold scripts and tables; they are read one test at a time. */
const testFileLinesMax = 700;

/** Sizes above the limits that may shrink and never grow. Keys: `path` or `path#function`. */
type Ratchet = Readonly<Record<string, number>>;

const bannedNames = /(^|\/)(utils?|helpers?|common|misc|types|manager|index)\.ts$/;
const bannedText: readonly { readonly pattern: RegExp; readonly because: string }[] = [
  { pattern: /\bTODO(?!\([a-z-]+\): )/, because: "write TODO(name): condition that makes it due" },
  { pattern: /\.skip\(\s*\)/, because: "a skipped test says why" },
  { pattern: /\btest\.only\(|\{ only: true/, because: "a focused test hides the others" },
  { pattern: /catch\s*(\([^)]*\))?\s*\{\s*\}/, because: "an error is handled, recorded or thrown on" },
];

type Measured = { readonly key: string; readonly lines: number; readonly max: number };

function measureFunctions(file: SourceFile): Measured[] {
  const { program } = parseSync(file.path, file.text);
  const found: Measured[] = [];
  const lineOf = (offset: number): number => file.text.slice(0, offset).split("\n").length;
  const record = (name: string, start: number, end: number): void => {
    found.push({
      key: `${file.path}#${name}`,
      lines: lineOf(end) - lineOf(start) + 1,
      max: functionLinesMax,
    });
  };
  const visitor = new Visitor({
    FunctionDeclaration(node) {
      record(node.id?.name ?? "anonymous", node.start, node.end);
    },
    MethodDefinition(node) {
      record(file.text.slice(node.key.start, node.key.end), node.start, node.end);
    },
    VariableDeclarator(node) {
      const isFunction =
        node.init?.type === "ArrowFunctionExpression" || node.init?.type === "FunctionExpression";
      if (isFunction) {
        record(file.text.slice(node.id.start, node.id.end).split(":")[0] ?? "", node.start, node.end);
      }
    },
  });
  visitor.visit(program);
  return found;
}

function complaintsOf(file: SourceFile): string[] {
  const complaints: string[] = [];
  if (bannedNames.test(file.path)) {
    complaints.push(`${file.path}: name the file for the one thing it holds`);
  }
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.(ts|tsx|mjs)$/.test(basename(file.path))) {
    complaints.push(`${file.path}: file names are kebab-case`);
  }
  if (file.path !== "tools/check-style.ts") {
    for (const [index, line] of file.text.split("\n").entries()) {
      for (const banned of bannedText) {
        if (banned.pattern.test(line)) {
          complaints.push(`${file.path}:${index + 1}: ${banned.because}`);
        }
      }
    }
  }
  return complaints;
}

function main(): void {
  const ratchet = JSON.parse(readFileSync("tools/size-ratchet.json", "utf8")) as Ratchet;
  const complaints: string[] = [];
  const measured: Measured[] = [];
  for (const file of listSourceFiles()) {
    complaints.push(...complaintsOf(file));
    const isTest = file.path.endsWith(".test.ts");
    measured.push({
      key: file.path,
      lines: file.text.split("\n").length - 1,
      max: isTest ? testFileLinesMax : fileLinesMax,
    });
    measured.push(...(isTest ? [] : measureFunctions(file)));
  }
  for (const { key, lines, max } of measured) {
    const allowed = Math.max(max, ratchet[key] ?? 0);
    if (lines > allowed) {
      complaints.push(`${key}: ${lines} lines, at most ${allowed}`);
    }
  }
  for (const [key, allowed] of Object.entries(ratchet)) {
    const largest = Math.max(0, ...measured.filter((item) => item.key === key).map((item) => item.lines));
    if (largest < allowed) {
      complaints.push(`tools/size-ratchet.json: ${key} has shrunk to ${largest}; lower or remove its row`);
    }
  }
  for (const complaint of complaints) {
    console.error(complaint);
  }
  console.log(`check-style: ${complaints.length} complaints`);
  process.exitCode = complaints.length === 0 ? 0 : 1;
}

main();
