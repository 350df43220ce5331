import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { createJobSchema } from "#api/job-api.ts";
import { describeApi } from "#server/api-description.ts";
import { computeFlows } from "#plan/flows.ts";
import { formatFlowTable } from "#plan/format-flows.ts";
import { formatSettingValue, settingKeys, settingRules } from "#plan/setting-rules.ts";
import { classicSettings, firewallSettings } from "#plan/settings.ts";
import { formatModuleTable } from "./modules.ts";

/** Text between `<!-- generated: NAME -->` and `<!-- end -->` is written by this program. */
type Generated = { readonly path: string; readonly name: string; readonly text: () => string };

function settingsTable(): string {
  const rows = settingKeys.map((key) => {
    const rule = settingRules[key];
    const classic = formatSettingValue(key, classicSettings[key]);
    const firewall = formatSettingValue(key, firewallSettings[key]);
    return `| \`${key}\` | ${rule.help} | ${rule.accepts} | ${classic} | ${firewall === classic ? "" : firewall} |`;
  });
  return ["| setting | what it is | accepts | classic | firewall |", "|---|---|---|---|---|", ...rows].join(
    "\n",
  );
}

const generated: readonly Generated[] = [
  { path: "ARCHITECTURE.md", name: "import table", text: formatModuleTable },
  {
    path: "docs/operating/ports.md",
    name: "flows",
    text: () => formatFlowTable(computeFlows(classicSettings, { consolePort: 8443 })),
  },
  { path: "docs/operating/settings.md", name: "settings", text: settingsTable },
];

/** Whole files that are written by this program. */
const generatedFiles: readonly { readonly path: string; readonly text: () => string }[] = [
  { path: "docs/jobs.schema.json", text: describeJobFiles },
  { path: "docs/openapi.json", text: () => `${JSON.stringify(describeApi(readVersion()), null, 2)}\n` },
];

/** What a job file may hold, for editors. */
function describeJobFiles(): string {
  const schema = z.toJSONSchema(createJobSchema, { io: "input", unrepresentable: "any", reused: "ref" });
  const { $schema, ...rest } = schema;
  const whole = { $schema, title: "Portolan job", description: "A job file of Portolan.", ...rest };
  return `${JSON.stringify(whole, null, 2)}\n`;
}

function readVersion(): string {
  return (JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version;
}

function isSameJson(left: string, right: string): boolean {
  return JSON.stringify(JSON.parse(left)) === JSON.stringify(JSON.parse(right));
}

function generateFiles(isCheck: boolean): void {
  for (const { path, text } of generatedFiles) {
    const before = existsSync(path) ? readFileSync(path, "utf8") : "null";
    if (isSameJson(before, text())) {
      continue;
    }
    if (isCheck) {
      console.error(`${path} is out of step; run npm run generate`);
      process.exitCode = 1;
    } else {
      writeFileSync(path, text());
      console.log(`${path}: written`);
    }
  }
}

function render(item: Generated): { readonly before: string; readonly after: string } {
  const before = readFileSync(item.path, "utf8");
  const start = `<!-- generated: ${item.name} -->`;
  const from = before.indexOf(start);
  const to = before.indexOf("<!-- end -->", from);
  if (from === -1 || to === -1) {
    throw new Error(`${item.path} has no place for "${item.name}"`);
  }
  const after = `${before.slice(0, from + start.length)}\n\n${item.text()}\n\n${before.slice(to)}`;
  return { before, after };
}

function main(): void {
  const isCheck = process.argv.includes("--check");
  generateFiles(isCheck);
  for (const item of generated) {
    const { before, after } = render(item);
    if (normalise(before) === normalise(after)) {
      continue;
    }
    if (isCheck) {
      console.error(`${item.path}: "${item.name}" is out of step; run npm run generate`);
      process.exitCode = 1;
    } else {
      writeFileSync(item.path, after);
      console.log(`${item.path}: wrote "${item.name}"`);
    }
  }
}

/** The formatter pads Markdown tables; padding is not content. */
function normalise(text: string): string {
  return text
    .replaceAll(/[ \t]*\|[ \t]*/g, "|")
    .replaceAll(/[ \t]+/g, " ")
    .replaceAll(/-{3,}/g, "---");
}

main();
