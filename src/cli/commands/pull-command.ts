import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { agentTargets, type AgentTarget } from "#preboot/build-agent.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { agentCache } from "./install-command.ts";

const scriptPath = "/agent/install.sh";
const tokenTimeMs = 24 * 3_600_000;

/** Where the server looks for agents that computers may fetch. Put in place by a rename: one may be on its way. */
function publish(folder: string, target: string, path: string): void {
  mkdirSync(folder, { recursive: true });
  const place = join(folder, `portolan-agent-${target}`);
  copyFileSync(path, `${place}.new`);
  renameSync(`${place}.new`, place);
}

export const pullCommand = apiCommand({
  brief: "Print a line that installs the agent on the computer where it is run",
  flags: {
    target: { brief: "System of the computers (linux-x64)", placeholder: "TARGET" },
    server: { brief: "The server's address for them, when it has several", placeholder: "IP" },
    uses: { brief: "Computers that are let in with it (1)", placeholder: "N" },
    agent: { brief: "This program instead of building one", placeholder: "FILE" },
  },
  run: async ({ client, flags, isJson, stdout }) => {
    const { target = "linux-x64", uses = "1", agent } = flags;
    if (!Object.hasOwn(agentTargets, target) || target === "win-x64") {
      throw new UsageError(`${target} is fetched by no script; linux-x64, linux-arm64 and darwin-arm64 are`);
    }
    if (agent !== undefined && !existsSync(agent)) {
      throw new UsageError(`${agent} does not exist`);
    }
    const build = agentCache((text) => void (isJson || stdout.write(`${text}\n`)));
    // Checked above.
    const path = agent ?? (await build(target as AgentTarget));
    const { folder } = await client.call("showAgentScript");
    publish(folder, target, path);
    const { interfaces } = await client.call("showServer");
    const address = flags["server"] ?? interfaces[0]?.address;
    if (address === undefined) {
      throw new UsageError("the server serves no interface; name its address with --server");
    }
    const { sha256, port } = await client.call("showAgentScript");
    const body = { name: `pull ${target}`, uses: Number(uses), validMs: tokenTimeMs };
    const { token } = await client.call("createEnrolmentToken", { body });
    const url = `https://${address}:${port}`;
    const line = [
      `f=$(mktemp) && curl -fsSk ${url}${scriptPath} -o "$f"`,
      `echo "${sha256}  $f" | sha256sum -c --quiet`,
      `sh "$f" ${url} ${token}`,
    ].join(" && ");
    const text = `${line}\n\nRun it as root within a day. The hash covers the site's key and the program.`;
    return { json: { line, url, sha256, token }, text };
  },
});
