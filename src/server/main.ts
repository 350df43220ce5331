import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { pino, type Logger } from "pino";
import { systemClock } from "#platform/clock.ts";
import { createNetwork } from "#platform/create-network.ts";
import { type ConfigFlags, ConfigError, loadConfig } from "./config.ts";
import { startServices } from "./start-services.ts";
import { type OpenConsole, openConsole } from "./open-console.ts";
import { serveOptions } from "./serve-options.ts";
import { createServer, type PortolanServer } from "./server.ts";

const usage = `usage: portolan serve [--config FILE] [--data DIR] [--interface IF[,IF…]] [--console-port N]

Runs a server until it is ended. Nothing is served on an interface that is not named.
Exit codes: 0 ended in order, 1 failed, 2 wrong usage or configuration.`;

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

function readFlags(): ConfigFlags | null {
  const { values } = parseArgs({ options: serveOptions });
  if (values.help) {
    return null;
  }
  const port = values["console-port"] === undefined ? undefined : Number(values["console-port"]);
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65536)) {
    throw new ConfigError(`--console-port ${values["console-port"]} is no port`);
  }
  return {
    ...(values.config === undefined ? {} : { config: values.config }),
    ...(values.data === undefined ? {} : { data: values.data }),
    ...(values.interface === undefined ? {} : { interface: values.interface.join(",") }),
    ...(port === undefined ? {} : { consolePort: port }),
  };
}

/** Without an account the console shows nothing; the first is made with a code that only this terminal has seen. */
async function describeConsole(server: PortolanServer, { url }: OpenConsole): Promise<string[]> {
  const code = await server.accounts.openSetup();
  return code === null
    ? [`console ${url}`]
    : [
        `console ${url}/setup#${code}`,
        "  there is no account yet: open this link to make the first; it works once, for a day",
      ];
}

function announce(server: PortolanServer, consoleLines: readonly string[]): void {
  const { config, interfaces, services } = server;
  const lines = [
    `portolan ${version}, server ${config.name}, data in ${config.dataDir}`,
    `serves on ${interfaces.map((nic) => `${nic.name} (${nic.address})`).join(", ")}`,
    ...[...services.states].map(
      ([name, { state, reason }]) => `  ${name}: ${state}${reason === null ? "" : `: ${reason}`}`,
    ),
    ...consoleLines,
    `site key ${server.authority.fingerprint}`,
    "ready",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

async function serve(flags: ConfigFlags, log: Logger): Promise<void> {
  const config = loadConfig(flags);
  const server = await createServer(config, systemClock, log, await createNetwork(), () => loadConfig(flags));
  await startServices(server);
  const openedConsole = await openConsole(server, version);
  announce(server, await describeConsole(server, openedConsole));
  const failed = [...server.services.states].filter(([, { state }]) => state === "failed");
  if (failed.length > 0) {
    const names = failed.map(([name]) => name).join(", ");
    process.stdout.write(`not running: ${names}; everything else runs. The exit code will be 1.\n`);
    process.exitCode = 1;
  }
  await new Promise<void>((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
  await openedConsole.close();
  await server.stop();
}

async function main(): Promise<void> {
  const log = pino(
    { level: process.env["PORTOLAN_LOG"] ?? "info" },
    pino.destination({ dest: 2, sync: true }),
  );
  try {
    const flags = readFlags();
    if (flags === null) {
      process.stdout.write(`${usage}\n`);
      return;
    }
    await serve(flags, log);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : null;
    if (!(error instanceof Error) || code === null) {
      throw error;
    }
    process.stderr.write(`portolan: ${error.message}\n`);
    const isUsage = code === "bad-config" || code === "bad-url" || code.startsWith("ERR_PARSE_ARGS");
    process.exit(isUsage ? 2 : 1);
  }
  process.exit();
}

await main();
