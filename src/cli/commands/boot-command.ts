import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildCommand, buildRouteMap } from "@stricli/core";
import type { BootBuildResource, BootFileResource } from "#api/boot-api.ts";
import { formatBootManifest } from "#preboot/boot-manifest.ts";
import { buildBootFiles } from "#preboot/build-boot-files.ts";
import { bundleAgent } from "#preboot/bundle-agent.ts";
import { apiCommand, type CliContext, printAnswer, resolveDataDir } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatBytes } from "../format-units.ts";
import { formatBootEvents } from "./computer-command.ts";

function formatBootFiles(files: readonly BootFileResource[]): string {
  if (files.length === 0) {
    return "no boot files yet; make them with portolan boot build";
  }
  const rows = files.map((file) => [file.name, formatBytes(file.sizeBytes), file.sha256, file.purpose]);
  return formatTable(["name", "size", "sha-256", "purpose"], rows);
}

function formatServed({ files, problems }: BootBuildResource): string {
  const servedCount = files.filter(({ isServed }) => isServed).length;
  return [`network boot serves ${servedCount} of ${files.length} files that were built`, ...problems].join(
    "\n",
  );
}

type BuildFlags = {
  readonly json: boolean;
  readonly data?: string;
  readonly siteKey?: string;
  readonly module?: readonly string[];
};

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

const buildBootCommand = buildCommand<BuildFlags, [], CliContext>({
  docs: { brief: "Make everything network boot serves, from the distribution's packages" },
  parameters: {
    flags: {
      json: { kind: "boolean", brief: "Print one JSON value and nothing else", default: false },
      data: {
        kind: "parsed",
        parse: String,
        brief: "Data directory of the server",
        placeholder: "DIR",
        optional: true,
      },
      siteKey: {
        kind: "parsed",
        parse: String,
        brief: "Fingerprint of the only site that this preboot system may serve",
        placeholder: "HEX",
        optional: true,
      },
      module: {
        kind: "parsed",
        parse: String,
        brief: "A further kernel module",
        placeholder: "NAME",
        variadic: true,
        optional: true,
      },
    },
  },
  async func(this: CliContext, flags: BuildFlags) {
    const dataDir = resolveDataDir(flags.data);
    const cacheDir = join(dataDir, "cache");
    const say = (text: string): void => {
      this.process.stderr.write(`${text} …\n`);
    };
    say("bundling the agent");
    const agentBundlePath = join(cacheDir, "agent.mjs");
    await bundleAgent(join(root, "src", "agent", "main.ts"), agentBundlePath);
    const ownNode = join(root, "node_modules", "node", "bin", "node");
    const manifest = await buildBootFiles({
      outDir: join(dataDir, "boot"),
      cacheDir,
      agentBundlePath,
      nodePath: existsSync(ownNode) ? ownNode : this.process.execPath,
      siteKeyFingerprint: flags.siteKey ?? null,
      extraModules: flags.module ?? [],
      onStep: say,
    });
    const text = `${formatBootManifest(manifest)}\na running server takes it with: portolan boot serve`;
    printAnswer(this.process, { json: manifest, text }, flags.json);
  },
});

export const bootCommand = buildRouteMap({
  docs: { brief: "Boot files and boot events" },
  routes: {
    build: buildBootCommand,
    list: apiCommand({
      brief: "What network boot serves, with hashes",
      run: async ({ client }) => {
        const files = await client.call("listBootFiles");
        return { json: files, text: formatBootFiles(files) };
      },
    }),
    serve: apiCommand({
      brief: "Serve what was built last, without a restart",
      run: async ({ client }) => {
        const build = await client.call("serveBootBuild");
        return { json: build, text: formatServed(build) };
      },
    }),
    events: apiCommand({
      brief: "Boot events of all computers, newest first",
      run: async ({ client }) => {
        const events = await client.call("listBootEvents");
        return { json: events, text: formatBootEvents(events) };
      },
    }),
  },
});
