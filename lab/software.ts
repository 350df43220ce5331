import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleAgent } from "#preboot/bundle-agent.ts";
import { buildDebianDisk } from "./debian-disk.ts";
import { runProgram } from "./run-program.ts";
import type { Steps } from "./steps.ts";

export const labRoot = dirname(dirname(fileURLToPath(import.meta.url)));
export const labProgram = join(labRoot, "bin", "portolan");
const nodePath = join(labRoot, "node_modules", "node", "bin", "node");

/**
 * The agent, the preboot system and a Debian disk: made when the agent has changed, else taken from the cache. Needs
 * Debian's packages from the network, so it runs before the lab shuts itself off; inside it finds everything made.
 */
export async function prepareSoftware(
  steps: Steps,
): Promise<{ readonly bootDir: string; readonly diskPath: string }> {
  const cacheDir = join(labRoot, "var", "cache");
  const agentBundlePath = join(cacheDir, "agent.mjs");
  await mkdir(cacheDir, { recursive: true });
  await bundleAgent(join(labRoot, "src", "agent", "main.ts"), agentBundlePath);
  const preboot = ["init/init", "init/lease", "build-boot-files.ts", "driver-modules.ts"];
  const hash = createHash("sha256");
  for (const path of [agentBundlePath, ...preboot.map((name) => join(labRoot, "src", "preboot", name))]) {
    hash.update(await readFile(path));
  }
  const key = hash.digest("hex");
  const buildDir = join(cacheDir, "lab-boot");
  const keyPath = join(buildDir, "key");
  if (!existsSync(keyPath) || (await readFile(keyPath, "utf8")) !== key) {
    await steps.do("building the preboot system", async () => {
      await runProgram(labProgram, ["boot", "build", "--data", buildDir]);
      await writeFile(keyPath, key);
    });
  }
  const onStep = (text: string): void => steps.say(`  ${text}`);
  const diskPath = await buildDebianDisk({ cacheDir, agentBundlePath, nodePath, onStep });
  return { bootDir: join(buildDir, "boot"), diskPath };
}
