import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { build, type InlineConfig, type Plugin } from "vite";
import { routes } from "#api/contract.ts";
import { accessOf, type Route } from "#api/route.ts";

const outDir = "var/console";
const stampPath = join(outDir, ".built-from");

/** What a page may weigh before the first thing is seen. */
const firstLoadBytesMax = 250_000;

/** The contract's methods and paths without its schemas: the browser needs no zod. */
function routeTable(): Plugin {
  const id = "virtual:routes";
  const table = Object.fromEntries(
    (Object.entries(routes) as [string, Route][]).map(([name, route]) => [
      name,
      [route.method, route.path, accessOf(route)],
    ]),
  );
  return {
    name: "portolan-routes",
    resolveId: (source) => (source === id ? `\0${id}` : null),
    load: (source) => (source === `\0${id}` ? `export const routes = ${JSON.stringify(table)};` : null),
  };
}

export function consoleConfig(): InlineConfig {
  return {
    root: "console",
    configFile: false,
    logLevel: "warn",
    plugins: [react(), routeTable()],
    build: {
      outDir: join("..", outDir),
      emptyOutDir: true,
      // Everything is a file of its own: the content security policy allows nothing inside the page.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: ["console/index.html", "console/remote.html"] },
    },
  };
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

/** Of everything that the build reads: the console, the contract, and the versions of the packages. */
function hashSources(): string {
  const hash = createHash("sha256");
  for (const path of [
    ...listFiles("console"),
    ...listFiles("src/api"),
    "package-lock.json",
    "tools/build-console.ts",
  ]) {
    hash.update(path).update(readFileSync(path));
  }
  return hash.digest("hex");
}

function readStamp(): string | null {
  try {
    return readFileSync(stampPath, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return null;
    }
    throw error;
  }
}

/** Bytes, compressed, of what the page itself names: what must arrive before anything is seen. */
export function measureFirstLoad(): number {
  const page = readFileSync(join(outDir, "index.html"), "utf8");
  const named = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, name]) => name ?? "");
  const paths = ["index.html", ...named];
  return paths.reduce((sum, name) => sum + gzipSync(readFileSync(join(outDir, name))).byteLength, 0);
}

/** Builds the console when it is missing or its sources changed. */
async function main(): Promise<void> {
  const stamp = hashSources();
  if (readStamp() === stamp && !process.argv.includes("--force")) {
    return;
  }
  process.stderr.write("portolan: building the console (some seconds, when it has changed) …\n");
  const startedAtMs = performance.now();
  rmSync(stampPath, { force: true });
  await build(consoleConfig());
  const firstLoadBytes = measureFirstLoad();
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  process.stderr.write(
    `portolan: console built in ${seconds} s; first load ${Math.round(firstLoadBytes / 1000)} kB compressed\n`,
  );
  if (firstLoadBytes > firstLoadBytesMax) {
    throw new Error(`the first load is above ${firstLoadBytesMax / 1000} kB; load something on demand`);
  }
  writeFileSync(stampPath, stamp);
}

if (import.meta.main) {
  await main();
}
