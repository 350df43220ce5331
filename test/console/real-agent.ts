import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SimulatedSite } from "#dev/simulated-site.ts";
import type { TestEnd } from "../network-hosts.ts";

/** The agent as installed systems run it, as a program of its own, on this machine. */
export function startRealAgent(
  t: TestEnd,
  site: SimulatedSite,
  settings: Readonly<Record<string, unknown>> = {},
): void {
  const [program = "", ...args] = realAgentCommand(site, settings);
  const agent = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  t.after(() => void agent.kill("SIGKILL"));
}

/** What starts it, after writing its file into the site's folder. */
export function realAgentCommand(
  site: SimulatedSite,
  settings: Readonly<Record<string, unknown>>,
): readonly string[] {
  const folder = site.server.config.dataDir;
  const path = join(folder, "agent.toml");
  const all = {
    server: "127.10.0.1",
    controlPort: site.server.settings.current()["control.tcpPort"],
    siteKey: site.server.authority.fingerprint,
    stateDir: join(folder, "agent"),
    discovery: false,
    remoteNotice: false,
    ...settings,
  };
  const lines = Object.entries(all).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  writeFileSync(path, lines.join(""));
  return [process.execPath, "src/agent/main.ts", "run", "--config", path];
}
