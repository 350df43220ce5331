import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { SimulatedSite } from "#dev/simulated-site.ts";

/** The agent as installed systems run it, as a program of its own, on this machine. */
export function startRealAgent(
  t: TestContext,
  site: SimulatedSite,
  settings: Readonly<Record<string, unknown>> = {},
): void {
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
  const agent = spawn(process.execPath, ["src/agent/main.ts", "run", "--config", path], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  t.after(() => agent.kill("SIGKILL"));
}
