import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleAgent } from "#preboot/bundle-agent.ts";
import { type Accelerator, findAccelerator } from "./accelerator.ts";
import { buildDebianDisk } from "./debian-disk.ts";
import { runProgram } from "./run-program.ts";
import type { Steps } from "./steps.ts";

export const labRoot = dirname(dirname(fileURLToPath(import.meta.url)));
export const labProgram = join(labRoot, "bin", "portolan");
const nodePath = join(labRoot, "node_modules", "node", "bin", "node");

/** What a scenario puts on servers and disks. */
export type LabSoftware = {
  /** Folder that network boot serves. */
  readonly bootDir: string;
  /** A Debian disk without an agent. */
  readonly diskPath: string;
  readonly agentBundlePath: string;
  readonly accelerator: Accelerator;
};

const passedKey = "PORTOLAN_LAB_SOFTWARE";

/** How software made outside is told to the lab inside. */
export function passSoftware(software: LabSoftware): Readonly<Record<string, string>> {
  return { [passedKey]: JSON.stringify(software) };
}

export function passedSoftware(): LabSoftware {
  const text = process.env[passedKey];
  if (text === undefined) {
    throw new Error("the lab was entered without its software");
  }
  return JSON.parse(text) as LabSoftware;
}

/**
 * The agent, the preboot system and a Debian disk: made when what they are made of has changed, else taken from the
 * cache. Needs Debian's packages from the network, so it runs before the lab shuts itself off.
 */
export async function prepareSoftware(steps: Steps): Promise<LabSoftware> {
  const cacheDir = join(labRoot, "var", "cache");
  await mkdir(cacheDir, { recursive: true });
  const agentBundlePath = join(cacheDir, "agent.mjs");
  await bundleAgent(join(labRoot, "src", "agent", "main.ts"), agentBundlePath);
  const buildDir = join(cacheDir, "lab-boot");
  const keyPath = join(buildDir, "key");
  const key = await prebootKey(agentBundlePath);
  if (!existsSync(keyPath) || (await readFile(keyPath, "utf8")) !== key) {
    await steps.do("building the preboot system", async () => {
      await runProgram(labProgram, ["boot", "build", "--data", buildDir]);
      await writeFile(keyPath, key);
    });
  }
  const onStep = (text: string): void => steps.say(`  ${text}`);
  const diskPath = await buildDebianDisk({ cacheDir, nodePath, onStep });
  const bootDir = join(buildDir, "boot");
  const accelerator = await findAccelerator(join(bootDir, "vmlinuz"), join(cacheDir, "accelerator"));
  steps.say(
    accelerator === "kvm"
      ? "virtual computers run by KVM"
      : "virtual computers are emulated: no KVM that runs a guest was found",
  );
  return { bootDir, diskPath, agentBundlePath, accelerator };
}

async function prebootKey(agentBundlePath: string): Promise<string> {
  const preboot = [
    "init/init",
    "init/lease",
    "build-boot-files.ts",
    "driver-modules.ts",
    "imaging-programs.ts",
  ];
  const hash = createHash("sha256");
  for (const path of [agentBundlePath, ...preboot.map((name) => join(labRoot, "src", "preboot", name))]) {
    hash.update(await readFile(path));
  }
  return hash.digest("hex");
}
