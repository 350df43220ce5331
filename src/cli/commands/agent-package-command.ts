import { existsSync } from "node:fs";
import { join } from "node:path";
import { stringify as stringifyToml } from "smol-toml";
import { buildDeb, type DebArchitecture } from "#preboot/build-deb.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { formatBytes } from "../format-units.ts";
import { agentCache, readPairs } from "./install-command.ts";

const architectures: Readonly<Record<string, DebArchitecture>> = {
  "linux-x64": "amd64",
  "linux-arm64": "arm64",
};

/** Numbers and switches as the settings file has them. */
function typed(text: string): string | number | boolean {
  if (text === "true" || text === "false") {
    return text === "true";
  }
  return /^[0-9]{1,5}$/.test(text) ? Number(text) : text;
}

export const agentPackageCommand = apiCommand<[string]>({
  brief: "Make a Debian package of the agent for this site: linux-x64 or linux-arm64",
  arguments: ["TARGET"],
  flags: {
    set: { brief: "Settings for all computers, besides the site key", placeholder: "KEY=VALUE,…" },
    agent: { brief: "This program instead of building one", placeholder: "FILE" },
    out: { brief: "Folder for it (here)", placeholder: "DIR" },
  },
  run: async ({ client, args: [target], flags: { set, agent, out = "." }, isJson, stdout }) => {
    const architecture = architectures[target];
    if (architecture === undefined) {
      throw new UsageError(
        `there is no Debian package for ${target}; known are ${Object.keys(architectures).join(", ")}`,
      );
    }
    if (agent !== undefined && !existsSync(agent)) {
      throw new UsageError(`${agent} does not exist`);
    }
    const { siteKeyFingerprint, version } = await client.call("showServer");
    const pairs = Object.entries(readPairs(set)).map(([key, value]) => [key, typed(value)]);
    const settings = `${stringifyToml({ siteKey: siteKeyFingerprint, ...Object.fromEntries(pairs) })}\n`;
    const build = agentCache((text) => {
      if (!isJson) {
        stdout.write(`${text}\n`);
      }
    });
    // The table above has targets alone.
    const programPath = agent ?? (await build(target as "linux-x64" | "linux-arm64"));
    const outPath = join(out, `portolan-agent_${version}_${architecture}.deb`);
    const built = await buildDeb({ programPath, architecture, version, settings, outPath });
    const text = `${outPath}, ${formatBytes(built.sizeBytes)}, SHA-256 ${built.sha256}; dpkg -i installs it`;
    return { json: { path: outPath, ...built }, text };
  },
});
