import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse as parseToml, stringify as stringifyToml } from "smol-toml";
import { writeDurably } from "#platform/durable-file.ts";
import { hashPassword } from "#platform/password-hash.ts";
import { AgentConfigError, agentSettingKeys, loadAgentConfig, parseAgentFile } from "./config.ts";
import { openLock } from "./settings-lock.ts";

type Say = (text: string) => void;

/** The value a word stands for: a switch, a number, or the word. */
export function readValue(word: string): string | number | boolean {
  if (word === "true" || word === "false") {
    return word === "true";
  }
  return /^[0-9]{1,5}$/.test(word) ? Number(word) : word;
}

/** Checks the settings as the agent will read them, then replaces the file. @throws AgentConfigError */
export async function writeSettings(
  path: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  const text = `${stringifyToml(settings)}\n`;
  parseAgentFile(path, text);
  await mkdir(dirname(path), { recursive: true });
  await writeDurably(path, Buffer.from(text), 0o644);
}

/** Makes the running agent read its file; says what to do where nothing runs that could be told. */
function reloadAgent(say: Say): void {
  if (existsSync("/run/systemd/system")) {
    const outcome = spawnSync("systemctl", ["reload-or-restart", "portolan-agent.service"], {
      encoding: "utf8",
    });
    if (outcome.status === 0) {
      say("the agent uses it now");
      return;
    }
  }
  say("the agent uses it when it is started again, or at SIGHUP");
}

/** Shows the agent's settings, or sets one: `KEY VALUE`. Locked ones need the password. */
export async function changeSettings(given: {
  readonly path: string;
  readonly words: readonly string[];
  readonly password?: string | undefined;
  readonly say: Say;
}): Promise<void> {
  const { path, words, say } = given;
  const raw = existsSync(path) ? parseToml(readFileSync(path, "utf8")) : {};
  const [key, value] = words;
  if (key === undefined) {
    for (const known of agentSettingKeys) {
      const shown = known === "lock" ? "(a password)" : JSON.stringify(raw[known]);
      say(`${known} = ${raw[known] === undefined ? "(default)" : shown}`);
    }
    return;
  }
  if (value === undefined) {
    throw new AgentConfigError(
      `${key}: the value is missing; known keys are: ${agentSettingKeys.join(", ")}`,
    );
  }
  const { lock, stateDir } = loadAgentConfig("os", path);
  await openLock({ lock, password: given.password, stateDir: stateDir ?? "", nowMs: Date.now() });
  const next = key === "lock" ? (value === "off" ? undefined : await hashPassword(value)) : readValue(value);
  const changed = Object.entries({ ...raw, [key]: next }).filter(([, item]) => item !== undefined);
  await writeSettings(path, Object.fromEntries(changed));
  say(`${key} is set in ${path}`);
  reloadAgent(say);
}

/** What this computer's agent is set to and whether it was let in. Exit code 0, or 1 when it has no certificate. */
export function showStatus(given: { readonly path: string; readonly say: Say }): number {
  const { path, say } = given;
  const config = loadAgentConfig("os", path);
  const way = config.server === null ? "by multicast" : `at ${config.server}, TCP port ${config.controlPort}`;
  say(`server: ${way}`);
  if (config.discovery !== null) {
    say(
      `discovery: ${config.discovery.group}, UDP port ${config.discovery.port}, TTL ${config.discovery.ttl}`,
    );
  }
  say(`site key: ${config.siteKeyFingerprint}`);
  const certificatePath = join(config.stateDir ?? "", "certificate.pem");
  if (!existsSync(certificatePath)) {
    say("not let in yet: the server has given no certificate");
    return 1;
  }
  const certificate = new X509Certificate(readFileSync(certificatePath));
  const computerId = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? "unknown";
  say(`let in as ${computerId}, certificate valid to ${certificate.validTo}`);
  return 0;
}
