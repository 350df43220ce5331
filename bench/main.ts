import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ts") && file !== "main.ts" && !file.startsWith("serve-"))
  .map((file) => file.replace(/\.ts$/, ""));

/** Runs one measurement; each prints peer, ours and ratio side by side. */
function main(): void {
  const [name = "list", ...rest] = process.argv.slice(2);
  if (name === "list") {
    process.stdout.write(`${names.join("\n")}\n`);
    return;
  }
  if (!names.includes(name)) {
    process.stderr.write(`there is no measurement ${name}; there are: ${names.join(", ")}\n`);
    process.exitCode = 2;
    return;
  }
  const outcome = spawnSync(process.execPath, [...process.execArgv, join(folder, `${name}.ts`), ...rest], {
    stdio: "inherit",
  });
  process.exitCode = outcome.status ?? 1;
}

main();
