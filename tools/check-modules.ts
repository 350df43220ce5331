import { builtinModules } from "node:module";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { parseSync } from "oxc-parser";
import { type ModuleRule, moduleRules } from "./modules.ts";
import { listSourceFiles } from "./source-files.ts";

type Import = { readonly specifier: string; readonly isTypeOnly: boolean; readonly offset: number };

function listImports(path: string, text: string): Import[] {
  const parsed = parseSync(path, text);
  if (parsed.errors.length > 0) {
    throw new Error(`${path}: ${parsed.errors[0]?.message}`);
  }
  const statics = parsed.module.staticImports.map((item) => ({
    specifier: item.moduleRequest.value,
    // `import { type A }` still loads the module; only `import type` goes away.
    isTypeOnly: /^import\s+type\b/.test(text.slice(item.start, item.end)),
    offset: item.start,
  }));
  const reExports = parsed.module.staticExports.flatMap((item) =>
    item.entries.flatMap((entry) =>
      entry.moduleRequest === null || entry.moduleRequest === undefined
        ? []
        : [{ specifier: entry.moduleRequest.value, isTypeOnly: entry.isType, offset: item.start }],
    ),
  );
  const dynamics = parsed.module.dynamicImports.flatMap((item) => {
    const literal = text.slice(item.moduleRequest.start, item.moduleRequest.end);
    const quoted = /^["'`](.*)["'`]$/.exec(literal);
    return quoted?.[1] === undefined ? [] : [{ specifier: quoted[1], isTypeOnly: false, offset: item.start }];
  });
  return [...statics, ...reExports, ...dynamics];
}

function packageName(specifier: string): string {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? specifier);
}

/** The complaint about one import, or `null` when the table allows it. */
function judge(rule: ModuleRule, path: string, item: Import): string | null {
  const { specifier } = item;
  if (specifier.startsWith(".")) {
    const target = normalize(join(dirname(path), specifier));
    if (!target.startsWith(`${rule.folder}/`)) {
      return `a relative import may not leave ${rule.folder}; use #module/path.ts`;
    }
    return existsSync(target) ? null : `${target} does not exist`;
  }
  if (specifier.startsWith("#")) {
    const target = specifier.slice(1).split("/")[0] ?? "";
    const targetRule = moduleRules.find((candidate) => candidate.name === target);
    if (targetRule === undefined) {
      return `#${target} is not a module`;
    }
    if (targetRule.name === rule.name) {
      return "inside a module use a relative import";
    }
    const isAllowed =
      rule.mayImport.includes("*") ||
      rule.mayImport.includes(target) ||
      (item.isTypeOnly && (rule.mayImportTypesOf ?? []).includes(target));
    return isAllowed ? null : `${rule.name} may not import ${target}: ${rule.because}`;
  }
  if (specifier.startsWith("node:")) {
    return rule.node ? null : `${rule.name} may not import node: modules: ${rule.because}`;
  }
  if (builtinModules.includes(specifier)) {
    return `write node:${specifier}`;
  }
  const name = packageName(specifier);
  return rule.packages.includes("*") || rule.packages.includes(name)
    ? null
    : `${rule.name} may not import the package ${name}: ${rule.because}`;
}

function main(): void {
  const complaints: string[] = [];
  const usedModules = new Set<string>();
  for (const file of listSourceFiles()) {
    const rule = moduleRules.find((candidate) => file.path.startsWith(`${candidate.folder}/`));
    if (rule === undefined) {
      complaints.push(`${file.path}: belongs to no module of tools/modules.ts`);
      continue;
    }
    usedModules.add(rule.name);
    const isTest = file.path.endsWith(".test.ts");
    for (const item of listImports(file.path, file.text)) {
      const isTestingAid = isTest && (item.specifier.startsWith("node:") || item.specifier === "fast-check");
      const complaint = isTestingAid ? null : judge(isTest ? widenForTests(rule) : rule, file.path, item);
      if (complaint !== null) {
        const line = file.text.slice(0, item.offset).split("\n").length;
        complaints.push(`${file.path}:${line}: "${item.specifier}": ${complaint}`);
      }
    }
  }
  for (const rule of moduleRules) {
    if (!usedModules.has(rule.name)) {
      complaints.push(`tools/modules.ts: module ${rule.name} has no files; remove its row`);
    }
  }
  for (const complaint of complaints) {
    console.error(complaint);
  }
  console.log(`check-modules: ${complaints.length} complaints`);
  process.exitCode = complaints.length === 0 ? 0 : 1;
}

/** A unit test may drive its module on the simulated network. */
function widenForTests(rule: ModuleRule): ModuleRule {
  return { ...rule, mayImport: [...rule.mayImport, "platform"] };
}

main();
