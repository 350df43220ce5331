import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { createFolder, until } from "./agent-site.ts";
import { ManagedSite } from "./managed-site.ts";
import { SshHosts } from "./ssh-hosts.ts";

const skip = networkTestObstacle("ip", "ssh", "sshd", "ssh-keygen", "unshare") ?? false;

type Outcome = { readonly host: string; readonly type: string; readonly reason?: string };

async function prepare(t: TestContext): Promise<{ site: ManagedSite; computers: SshHosts }> {
  const hosts = new NetworkHosts(t);
  hosts.segment("room", [
    { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
    { host: "one", interfaceName: "eth0", address: "10.9.0.2/24" },
    { host: "two", interfaceName: "eth0", address: "10.9.0.3/24" },
    { host: "three", interfaceName: "eth0", address: "10.9.0.4/24" },
  ]);
  const folder = createFolder(t);
  const site = new ManagedSite(hosts, folder);
  const computers = new SshHosts(hosts, folder);
  await Promise.all([
    site.startServer(),
    computers.start("one", "10.9.0.2"),
    computers.start("two", "10.9.0.3"),
  ]);
  return { site, computers };
}

/** The command lines of what runs on a host now. */
function programsOf(site: ManagedSite, host: string): string[] {
  const ids = execFileSync("ip", ["netns", "pids", site.hosts.namespace(host)], { encoding: "utf8" });
  return ids.split("\n").flatMap((id) => {
    try {
      return id === "" ? [] : [readFileSync(`/proc/${id}/cmdline`, "utf8")];
    } catch {
      // It has ended in the meantime.
      return [];
    }
  });
}

test(
  "install: puts the agent on computers over ssh, each with its own settings, and says how far each one is",
  { skip, timeout: 600_000 },
  async (t) => {
    const { site, computers } = await prepare(t);
    const settingsPath = join(site.folder, "hosts.toml");
    writeFileSync(
      settingsPath,
      '[default]\ndiscoveryTtl = 3\n["10.9.0.2"]\ndiscovery = false\n["10.9.0.3"]\ndiscoveryPort = 4402\n',
    );
    const flags = ["--settings", settingsPath, "--ssh-config", computers.configPath];
    const run = site.startPortolan("computer", "install", "10.9.0.2", "10.9.0.3", "10.9.0.4", ...flags);
    const output = await run.waitFor("2 installed, 1 failed", 300_000);

    for (const address of ["10.9.0.2", "10.9.0.3"]) {
      const steps = output.split("\n").filter((line) => line.startsWith(`${address}: `));
      assert.deepEqual(
        steps.map((step) => /: (connecting|copying|installing|waiting|connected) ?/.exec(step)?.[1]),
        ["connecting", "copying", "installing", "waiting", "connected"],
      );
    }
    assert.match(output, /^10\.9\.0\.4: failed: .*10\.9\.0\.4/m);

    const one = readFileSync(computers.pathOf("one", "/etc/portolan/agent.toml"), "utf8");
    const two = readFileSync(computers.pathOf("two", "/etc/portolan/agent.toml"), "utf8");
    for (const [text, lines] of [
      [one, ["discovery = false", "discoveryTtl = 3", 'server = "10.9.0.1"']],
      [two, ["discoveryPort = 4402", "discoveryTtl = 3", 'server = "10.9.0.1"']],
    ] as const) {
      lines.forEach((line) => assert.ok(text.split("\n").includes(line), `${line} in ${text}`));
    }
    assert.match(
      readFileSync(computers.pathOf("one", "/etc/systemd/system/portolan-agent.service"), "utf8"),
      /^ExecStart=\/opt\/portolan\/portolan-agent run/m,
    );
    assert.equal(statSync(computers.pathOf("one", "/opt/portolan/portolan-agent")).mode & 0o777, 0o755);

    const listed = site.portolan("computer", "list") as {
      address: string;
      state: string;
      environment: string;
    }[];
    assert.deepEqual(
      listed.map(({ address, state, environment }) => `${address} ${state} ${environment}`).toSorted(),
      ["10.9.0.2 approved os", "10.9.0.3 approved os"],
    );

    // Again, with other settings: the computer stays the same one.
    const again = site.portolan(
      ...["computer", "install", "10.9.0.2", "--set", "discoveryTtl=5", "--ssh-config", computers.configPath],
    ) as Outcome[];
    assert.deepEqual(
      again.map(({ host, type }) => [host, type]),
      [["10.9.0.2", "done"]],
    );
    assert.match(
      readFileSync(computers.pathOf("one", "/etc/portolan/agent.toml"), "utf8"),
      /discoveryTtl = 5/,
    );
    assert.equal((site.portolan("computer", "list") as unknown[]).length, 2);
    assert.deepEqual(site.portolan("computer", "tokens"), [], "no token outlives the command");
    // The one of before leaves.
    await until(
      () => programsOf(site, "one").filter((name) => name.startsWith("/opt/portolan/")).length === 1,
    );
  },
);
