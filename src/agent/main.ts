import { text as readText } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { systemClock } from "#platform/clock.ts";
import { createNetwork } from "#platform/create-network.ts";
import { findService, listSearchDomains } from "#platform/find-service.ts";
import { toSafeText } from "#wire/control/json-fields.ts";
import { Agent } from "./agent.ts";
import { agentOptions } from "./agent-options.ts";
import { choosePlace, serviceName } from "./choose-place.ts";
import { AgentConfigError, type AgentOverrides, loadAgentConfig } from "./config.ts";
import { AgentIdentity } from "./identity.ts";
import { readInventory } from "./inventory.ts";
import { watchNeighbours } from "./neighbour-watch.ts";
import { SettingsKeeper } from "./settings-keeper.ts";

const usage = `usage: portolan agent run [--environment preboot|os] [--config FILE] [--server IP] [--port N] [--site-key HEX]
       portolan agent install --site-key HEX [--server IP] [--port N] [--set KEY=VALUE]… [--token -|TOKEN] [--root DIR [--node PATH]]
       portolan agent settings [KEY VALUE] [--password P] [--config FILE]
       portolan agent status [--config FILE]
       portolan agent record before FILE | difference FILE FOLDER`;

function say(text: string): void {
  // Scripts and servers have a part in it: nothing of theirs steers this terminal.
  process.stdout.write(`portolan: ${toSafeText(text, 4096)}\n`);
}

async function runAgent(
  environment: "preboot" | "os",
  configPath: string,
  overrides: AgentOverrides,
): Promise<void> {
  const config = loadAgentConfig(environment, configPath, overrides);
  const identity = await AgentIdentity.load(config.stateDir);
  const network = await createNetwork();
  const settings = await SettingsKeeper.load(environment === "os" ? configPath : null, overrides, config);
  const agent = new Agent({
    network,
    identity,
    settings,
    findServer: (failures, onRogue) =>
      choosePlace(settings.current(), failures, {
        network,
        clock: systemClock,
        say,
        onRogue,
        lastDiscovery: () => settings.lastDiscovery(),
        askDns: () => findService(serviceName, listSearchDomains()),
      }),
    readInventory,
    say,
  });
  process.on("SIGHUP", () => reloadSettings(settings, agent));
  process.once("SIGTERM", () => agent.stop());
  process.once("SIGINT", () => agent.stop());
  const endWatch = watchNeighbours({ onChange: () => agent.tellInventory(), say });
  try {
    await agent.run();
  } finally {
    endWatch();
  }
}

/** After a local change. Wrong settings are said and leave the agent as it is. */
function reloadSettings(settings: SettingsKeeper, agent: Agent): void {
  try {
    settings.reload();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return;
  }
  say("settings were read again");
  agent.startAnew();
}

/** A package from what an installer changes on this computer. */
async function record([what, file, folder]: readonly string[]): Promise<void> {
  const { recordBefore, recordDifference } = await import("./record/record-package.ts");
  if (what === "before" && file !== undefined) {
    recordBefore(file, say);
  } else if (what === "difference" && file !== undefined && folder !== undefined) {
    recordDifference(file, folder, say);
  } else {
    process.stderr.write(`${usage}\n`);
    process.exitCode = 2;
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: agentOptions, allowPositionals: true });
  const [command, ...rest] = positionals;
  const { environment, config, server, port, root } = values;
  const siteKey = values["site-key"];
  const overrides: AgentOverrides = {
    ...(server === undefined ? {} : { server }),
    ...(port === undefined ? {} : { controlPort: port }),
    ...(siteKey === undefined ? {} : { siteKey }),
  };
  if (values.help) {
    process.stdout.write(`${usage}\n`);
  } else if (command === "run" && (environment === "preboot" || environment === "os")) {
    await runAgent(environment, config, overrides);
  } else if (command === "install") {
    const { installAgent } = await import("./install.ts");
    const token = values.token === "-" ? (await readText(process.stdin)).trim() : (values.token ?? null);
    await installAgent({ root, node: values.node ?? null, overrides, set: values.set, token, say });
  } else if (command === "settings") {
    const { changeSettings } = await import("./settings.ts");
    const password = values.password ?? process.env["PORTOLAN_AGENT_PASSWORD"];
    await changeSettings({ path: config, words: rest, password, say });
  } else if (command === "record") {
    await record(rest);
  } else if (command === "status") {
    const { showStatus } = await import("./settings.ts");
    process.exitCode = showStatus({ path: config, say });
  } else {
    process.stderr.write(`${usage}\n`);
    process.exitCode = 2;
  }
}

function isWrongUsage(error: unknown): error is Error {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return error instanceof AgentConfigError || code.startsWith("ERR_PARSE_ARGS");
}

try {
  await main();
} catch (error) {
  if (!isWrongUsage(error)) {
    throw error;
  }
  say(error.message);
  process.exitCode = 2;
}
