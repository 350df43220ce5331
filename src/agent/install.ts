import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { AgentConfigError, type AgentOverrides } from "./config.ts";
import { writeSettings } from "./settings.ts";

const unitName = "portolan-agent.service";

function describeUnit(command: string): string {
  return `[Unit]
Description=Portolan agent
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=${command} run --environment os
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
`;
}

/** How the agent is started there. A bundle is copied; from a checkout the checkout is used where it is. */
async function placeProgram(root: string, node: string): Promise<string> {
  const self = resolve(process.argv[1] ?? "");
  if (!self.endsWith(".mjs")) {
    if (root !== "/") {
      throw new AgentConfigError("only the bundled agent can be installed into another root");
    }
    return `${node} --disable-warning=ExperimentalWarning ${resolve(import.meta.dirname, "main.ts")}`;
  }
  const target = "/opt/portolan/agent.mjs";
  await mkdir(dirname(join(root, target)), { recursive: true });
  if (self !== join(root, target)) {
    await copyFile(self, join(root, target));
  }
  return `${node} --disable-warning=ExperimentalWarning ${target}`;
}

/**
 * Puts settings and a systemd unit on this computer, or into the file system at `root`. Can be run again: what is there
 * is replaced, the computer's key and certificate are kept.
 *
 * @throws AgentConfigError when the settings would not let the agent start
 */
export async function installAgent(given: {
  readonly root: string;
  /** Node's path on the computer the agent is for; `null`: the one that runs this. */
  readonly node: string | null;
  readonly overrides: AgentOverrides;
  readonly say: (text: string) => void;
}): Promise<void> {
  const { root, overrides, say } = given;
  const { controlPort, ...texts } = overrides;
  const settingsPath = join(root, "etc/portolan/agent.toml");
  await writeSettings(settingsPath, {
    ...texts,
    ...(controlPort === undefined ? {} : { controlPort: Number(controlPort) }),
  });
  say(`wrote ${settingsPath}`);
  const unitFolder = join(root, "etc/systemd/system");
  const wantsFolder = join(unitFolder, "multi-user.target.wants");
  await mkdir(wantsFolder, { recursive: true });
  await writeFile(
    join(unitFolder, unitName),
    describeUnit(await placeProgram(root, given.node ?? process.execPath)),
  );
  const link = join(wantsFolder, unitName);
  await rm(link, { force: true });
  await symlink(`../${unitName}`, link);
  say(`wrote ${join(unitFolder, unitName)}; it starts with the system`);
  if (root !== "/" || !existsSync("/run/systemd/system")) {
    return;
  }
  for (const args of [["daemon-reload"], ["restart", unitName]]) {
    const outcome = spawnSync("systemctl", args, { stdio: "inherit" });
    if (outcome.status !== 0) {
      throw new Error(`systemctl ${args.join(" ")} ended with ${outcome.status}`);
    }
  }
  say("the agent is running; portolan agent status shows whether it was let in");
}
