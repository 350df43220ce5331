import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse as parseToml } from "smol-toml";
import { type AgentTarget, agentTargets, buildAgent, type BuiltAgent } from "#preboot/build-agent.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatBytes } from "../format-units.ts";
import { type HostSettings, type HostState, installHost } from "../install/install-host.ts";
import { ProgressList } from "../install/progress-list.ts";
import { isHostName } from "../install/ssh-session.ts";

const entryPath = join(import.meta.dirname, "../../agent/main.ts");
const togetherCount = 8;
/** As a shell tells a program that Ctrl-C has ended. */
const interruptedExitCode = 130;

/** Built agents and the Node of foreign computers are kept here. */
function cacheDir(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "portolan/agents");
}

/** Settings for all computers under `default`, for one under its name. @throws UsageError */
function readSettingsFile(path: string | undefined): (host: string) => HostSettings {
  if (path === undefined) {
    return () => ({});
  }
  let tables: Record<string, unknown>;
  try {
    tables = parseToml(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const read = (name: string): HostSettings => {
    const table = tables[name] ?? {};
    if (typeof table !== "object" || Array.isArray(table)) {
      throw new UsageError(`${path}: ${name} is no table of settings`);
    }
    return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, String(value)]));
  };
  return (host) => ({ ...read("default"), ...read(host) });
}

/** `KEY=VALUE,…` as the flag has them. @throws UsageError */
export function readPairs(text: string | undefined): HostSettings {
  const pairs = (text ?? "").split(",").filter((pair) => pair !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 1) {
        throw new UsageError(`--set ${pair}: write it as KEY=VALUE[,KEY=VALUE]`);
      }
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

/** Builds each kind once, however many computers need it. */
export function agentCache(say: (text: string) => void): (target: AgentTarget) => Promise<string> {
  const built = new Map<AgentTarget, Promise<BuiltAgent>>();
  return async (target) => {
    const known =
      built.get(target) ?? buildAgent({ target, entryPath, outDir: cacheDir(), cacheDir: cacheDir(), say });
    built.set(target, known);
    return (await known).path;
  };
}

export const installCommand = apiCommand({
  brief: "Put the agent on computers over ssh, with your own ssh keys",
  list: "HOST",
  flags: {
    user: {
      brief: "Log in as this user: root, one with sudo without a password, or an administrator of Windows",
      placeholder: "U",
    },
    settings: { brief: "TOML file: [default] and one table for each host", placeholder: "FILE" },
    set: { brief: "Settings for all of them", placeholder: "KEY=VALUE,…" },
    agent: { brief: "This program instead of building one", placeholder: "FILE" },
    sshConfig: { brief: "Another configuration for ssh than your own", placeholder: "FILE" },
  },
  run: async ({ client, list: hosts, flags, isJson, stdout }) => {
    const strange = hosts.find((host) => !isHostName(host));
    if (strange !== undefined) {
      throw new UsageError(`${strange} is no host name`);
    }
    if (flags["user"]?.includes('"') === true) {
      throw new UsageError(`--user ${flags["user"]}: no user has quotation marks in its name`);
    }
    if (flags["agent"] !== undefined && !existsSync(flags["agent"])) {
      throw new UsageError(`${flags["agent"]} does not exist`);
    }
    const settingsFor = readSettingsFile(flags["settings"]);
    const common = readPairs(flags["set"]);
    const server = await client.call("showServer");
    const say = (text: string): void => {
      if (!isJson) {
        stdout.write(`${text}\n`);
      }
    };
    const build = agentCache(say);
    const tokens = new Map<string, () => Promise<unknown>>();
    const plan = {
      ssh: { user: flags["user"] ?? null, configPath: flags["sshConfig"] ?? null },
      siteKey: server.siteKeyFingerprint,
      serverAddresses: server.interfaces.map(({ address }) => address),
      agentFor: (target: AgentTarget) =>
        flags["agent"] === undefined ? build(target) : Promise.resolve(flags["agent"]),
      createToken: async (host: string) => {
        const body = { name: `install ${host}`.slice(0, 64), uses: 1, validMs: 3_600_000 };
        const { id, token } = await client.call("createEnrolmentToken", { body });
        const remove = (): Promise<unknown> => {
          tokens.delete(id);
          return client.call("removeEnrolmentToken", { id });
        };
        tokens.set(id, remove);
        return { token, remove };
      },
    };
    const interrupt = (): void => {
      // A token that nobody waits for any more lets nobody in.
      const removals = [...tokens.values()].map((remove) => remove());
      void Promise.allSettled(removals).then(() => process.exit(interruptedExitCode));
    };
    process.once("SIGINT", interrupt);
    process.once("SIGTERM", interrupt);
    const progress = new ProgressList(stdout, isJson);
    const waiting = [...hosts];
    const outcomes: (HostState & { readonly host: string })[] = [];
    const work = async (): Promise<void> => {
      for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
        const name = host;
        const settings = { ...settingsFor(name), ...common };
        const onState = (state: HostState): void => progress.update(name, state);
        outcomes.push({ host: name, ...(await installHost(name, plan, { settings, onState })) });
      }
    };
    await Promise.all(Array.from({ length: togetherCount }, work));
    const failed = outcomes.filter(({ type }) => type === "failed").length;
    const text =
      failed === 0 ? `${hosts.length} installed` : `${hosts.length - failed} installed, ${failed} failed`;
    return { json: outcomes, text, exitCode: failed === 0 ? 0 : 1 };
  },
});

export const buildAgentCommand = apiCommand({
  brief: "Build the agent as single executables: linux-x64, linux-arm64, win-x64, darwin-arm64, or all",
  list: "TARGET",
  flags: { out: { brief: "Folder for them (here)", placeholder: "DIR" } },
  run: async ({ list, flags: { out = "." }, isJson, stdout }) => {
    const wanted = list.includes("all") ? Object.keys(agentTargets) : list;
    const unknown = wanted.find((word) => !Object.hasOwn(agentTargets, word));
    if (unknown !== undefined) {
      throw new UsageError(
        `no agent is built for ${unknown}; known are ${Object.keys(agentTargets).join(", ")}`,
      );
    }
    const built: BuiltAgent[] = [];
    for (const target of wanted) {
      built.push(
        await buildAgent({
          // Checked above against the keys.
          target: target as AgentTarget,
          entryPath,
          outDir: out,
          cacheDir: cacheDir(),
          say: (text) => {
            if (!isJson) {
              stdout.write(`${text}\n`);
            }
          },
        }),
      );
    }
    const rows = built.map(({ target, path, sizeBytes, sha256 }) => [
      target,
      path,
      formatBytes(sizeBytes),
      sha256,
    ]);
    return { json: built, text: formatTable(["target", "file", "size", "SHA-256"], rows) };
  },
});
