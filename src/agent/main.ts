import { parseArgs } from "node:util";
import { createLinuxNetwork } from "#platform/linux/linux-network.ts";
import { Agent } from "./agent.ts";
import { AgentConfigError, loadAgentConfig } from "./config.ts";
import { AgentIdentity } from "./identity.ts";

const usage = `usage: portolan agent run [--environment preboot|os] [--config /etc/portolan/agent.toml]`;

function say(text: string): void {
  process.stdout.write(`portolan: ${text}\n`);
}

async function runAgent(environment: "preboot" | "os", configPath: string): Promise<void> {
  const config = loadAgentConfig(environment, configPath);
  const identity = await AgentIdentity.load(config.stateDir);
  const { server, controlPort } = config;
  if (server === null) {
    throw new AgentConfigError(
      'no server address is configured; add server = "ADDRESS" to the agent\'s settings',
    );
  }
  const agent = new Agent(config, {
    network: createLinuxNetwork(),
    identity,
    findServer: () => Promise.resolve({ address: server, port: controlPort }),
    say,
  });
  process.once("SIGTERM", () => agent.stop());
  await agent.run();
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      environment: { type: "string", default: "os" },
      config: { type: "string", default: "/etc/portolan/agent.toml" },
    },
    allowPositionals: true,
  });
  const { environment } = values;
  if (positionals[0] !== "run" || (environment !== "preboot" && environment !== "os")) {
    process.stderr.write(`${usage}\n`);
    process.exitCode = 2;
    return;
  }
  try {
    await runAgent(environment, values.config);
  } catch (error) {
    if (error instanceof AgentConfigError) {
      say(error.message);
      process.exitCode = 2;
      return;
    }
    throw error;
  }
}

await main();
