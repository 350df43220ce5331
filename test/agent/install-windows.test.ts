import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { createFolder } from "./agent-site.ts";
import type { FakeWindows } from "./fake-windows-shell.ts";
import { ManagedSite } from "./managed-site.ts";
import { SshHosts } from "./ssh-hosts.ts";

const skip = networkTestObstacle("ip", "ssh", "sftp", "sshd", "ssh-keygen", "unshare", "chroot") ?? false;

type Outcome = { readonly host: string; readonly type: string; readonly reason?: string };

const usual: FakeWindows & { readonly hasSftp: boolean } = {
  shell: "cmd",
  processor: "AMD64",
  isAdministrator: true,
  hasPowerShell: true,
  removesPrograms: false,
  hasSftp: true,
};

/** Computers with these peculiarities, and what `computer install` says of each. */
class WindowsSite {
  readonly site: ManagedSite;
  readonly computers: SshHosts;
  readonly #addresses: readonly string[];
  readonly #program: string;

  private constructor(hosts: NetworkHosts, folder: string, addresses: readonly string[]) {
    this.site = new ManagedSite(hosts, folder);
    this.computers = new SshHosts(hosts, folder);
    this.#addresses = addresses;
    // Stands for portolan-agent-win-x64.exe. The name has what sftp would take for a pattern.
    this.#program = join(folder, "agent [x64].exe");
    const agent = join(import.meta.dirname, "../../src/agent/main.ts");
    writeFileSync(this.#program, `exec ${process.execPath} ${agent} "$@"\n`);
  }

  static async start(t: TestContext, each: readonly Partial<typeof usual>[]): Promise<WindowsSite> {
    const hosts = new NetworkHosts(t);
    const addresses = each.map((_, index) => `10.9.0.${index + 2}`);
    hosts.segment("room", [
      { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
      ...addresses.map((address, index) => ({
        host: `w${index}`,
        interfaceName: "eth0",
        address: `${address}/24`,
      })),
    ]);
    const made = new WindowsSite(hosts, createFolder(t), addresses);
    await Promise.all([
      made.site.startServer(),
      ...each.map((own, index) =>
        made.computers.startFakeWindows(`w${index}`, addresses[index] ?? "", { ...usual, ...own }),
      ),
    ]);
    return made;
  }

  /** By host, in the order they were named. */
  async install(...flags: readonly string[]): Promise<Outcome[]> {
    const run = this.site.startPortolan(
      ...["computer", "install", ...this.#addresses, "--agent", this.#program, "--json"],
      ...["--ssh-config", this.computers.configPath, ...flags],
    );
    const output = await run.waitFor("\n]", 180_000);
    const outcomes = JSON.parse(output) as Outcome[];
    return outcomes.toSorted((one, other) => one.host.localeCompare(other.host));
  }

  drive(index: number): string {
    return this.computers.pathOf(`w${index}`, "C:");
  }

  /** What is below the folder of programs. */
  programs(index: number): string[] {
    const folder = join(this.drive(index), "Program Files/Portolan");
    return existsSync(folder) ? readdirSync(folder) : [];
  }
}

test(
  "install: puts the agent on a fake Windows (no real one is here) whichever its login shell is",
  { skip, timeout: 300_000 },
  async (t) => {
    const shells = ["cmd", "powershell", "git-bash"] as const;
    const windows = await WindowsSite.start(
      t,
      shells.map((shell) => ({ shell })),
    );
    const outcomes = await windows.install("--set", "discoveryTtl=7", "--user", "root");
    assert.deepEqual(
      outcomes.map(({ type, reason }) => [type, reason]),
      shells.map(() => ["done", undefined]),
    );
    for (const index of shells.keys()) {
      const settings = readFileSync(
        windows.computers.pathOf(`w${index}`, "/etc/portolan/agent.toml"),
        "utf8",
      );
      assert.match(settings, /^server = "10\.9\.0\.1"$/m);
      assert.match(settings, /^discoveryTtl = 7$/m);
      assert.deepEqual(windows.programs(index), ["portolan-agent.exe"], "the copy is removed");
    }
    const listed = windows.site.portolan("computer", "list") as { address: string; state: string }[];
    assert.deepEqual(listed.map(({ address, state }) => `${address} ${state}`).toSorted(), [
      "10.9.0.2 approved",
      "10.9.0.3 approved",
      "10.9.0.4 approved",
    ]);
    assert.deepEqual(windows.site.portolan("computer", "tokens"), []);
  },
);

test(
  "install: says what a fake Windows (no real one is here) lacks, and leaves nothing there",
  { skip, timeout: 300_000 },
  async (t) => {
    const windows = await WindowsSite.start(t, [
      { isAdministrator: false },
      { hasSftp: false },
      { processor: "ARM64", shell: "powershell" },
      { removesPrograms: true },
      { hasPowerShell: false },
    ]);
    const outcomes = await windows.install();
    const expected = [
      /no administrator's rights there; name one who has with --user/,
      /ssh server has no sftp; add the line Subsystem sftp/,
      /no agent is built for Windows on ARM64/,
      /its antivirus has removed it; make an exception for C:\\Program Files\\Portolan/,
      /neither a POSIX shell nor Windows PowerShell answers there; .*Der Befehl "powershell"/,
    ];
    assert.equal(outcomes.length, expected.length);
    for (const [index, pattern] of expected.entries()) {
      assert.equal(outcomes[index]?.type, "failed");
      assert.match(outcomes[index]?.reason ?? "", pattern);
      assert.deepEqual(windows.programs(index), []);
    }
    assert.deepEqual(windows.site.portolan("computer", "list"), []);
    assert.deepEqual(windows.site.portolan("computer", "tokens"), []);
  },
);
