import { createHash } from "node:crypto";
import { type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { rootFileSystemOf } from "./debian-disk.ts";
import { writeDiskFiles } from "./disk-files.ts";
import { runProgram } from "./run-program.ts";
import { SegmentNetwork } from "./segment-network.ts";
import { labProgram, type LabSoftware, labRoot, passedSoftware } from "./software.ts";
import type { Steps } from "./steps.ts";
import { type ComputerPlan, type Firmware, VirtualComputer } from "./virtual-computer.ts";

type ListedComputer = { id: string; name: string; state: string; environment: string | null; macs: string[] };

/** What a scenario is made of: segments, servers, the site's own DHCP server, and computers. */
export class LabSite {
  readonly steps: Steps;
  readonly folder: string;
  readonly network = new SegmentNetwork();
  readonly computers: VirtualComputer[] = [];
  #server: ChildProcess | null = null;
  #serverArguments: readonly string[] = [];

  private constructor(steps: Steps, folder: string) {
    this.steps = steps;
    this.folder = folder;
  }

  static async open(scenario: string, steps: Steps): Promise<LabSite> {
    const folder = join(labRoot, "var", "lab", scenario);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const site = new LabSite(steps, folder);
    await site.network.start();
    return site;
  }

  get dataDir(): string {
    return join(this.folder, "server");
  }

  /** Puts the boot files where the server finds them. */
  async installSoftware(): Promise<LabSoftware> {
    const software = passedSoftware();
    await mkdir(this.dataDir, { recursive: true });
    await cp(software.bootDir, join(this.dataDir, "boot"), { recursive: true });
    return software;
  }

  /** The site's DHCP server: leases addresses and knows nothing of us. */
  /** @param nextServer whom the site's DHCP server names for boot files; without it, itself. */
  async startForeignDhcp(
    host: string,
    interfaceName: string,
    range: string,
    nextServer?: string,
  ): Promise<void> {
    const log = join(this.folder, `${host}.log`);
    this.network.spawnOn(
      host,
      "dnsmasq",
      [
        ...[
          "--keep-in-foreground",
          // Two of them at once would quarrel about the usual one.
          "--pid-file=",
          "--port=0",
          "--no-resolv",
          "--no-hosts",
          "--conf-file=/dev/null",
          "--user=root",
        ],
        ...[
          `--interface=${interfaceName}`,
          "--bind-interfaces",
          `--dhcp-range=${range},1h`,
          "--dhcp-option=3",
          ...(nextServer === undefined ? [] : [`--dhcp-boot=,,${nextServer}`]),
        ],
        ...[`--dhcp-leasefile=${join(this.folder, `${host}.leases`)}`, "--log-dhcp", "--log-facility=-"],
      ],
      log,
    );
  }

  async startServer(interfaces: readonly string[], extra: readonly string[] = []): Promise<void> {
    this.#serverArguments = ["serve", "--data", this.dataDir, "--interface", interfaces.join(","), ...extra];
    await this.#spawnServer();
  }

  /** Ends the server as a crash does, and starts it again. */
  async killAndRestartServer(): Promise<void> {
    const server = this.#server;
    if (server !== null) {
      const gone = new Promise((resolve) => {
        server.once("exit", resolve);
      });
      // Launcher and command line hand over to the server by execve, so this process is the server.
      server.kill("SIGKILL");
      await gone;
    }
    await this.#spawnServer();
  }

  async #spawnServer(): Promise<void> {
    const logPath = join(this.folder, "server.log");
    await rm(join(this.dataDir, "admin.json"), { force: true });
    // Emulated on a busy machine, a processor may stand still while the kernel looks whether its timer ticks.
    this.#server = this.network.spawnOn("server", labProgram, this.#serverArguments, logPath, {
      PORTOLAN_KERNEL_ARGUMENTS: "console=ttyS0 quiet no_timer_check",
    });
    const deadlineMs = performance.now() + 30_000;
    while (!existsSync(join(this.dataDir, "admin.json"))) {
      if (performance.now() > deadlineMs || this.#server.exitCode !== null) {
        throw new Error(`the server did not start; see ${logPath}`);
      }
      await sleep(100);
    }
  }

  /** The command line, as an administrator on the server would use it. */
  async portolan<Answer>(...args: readonly string[]): Promise<Answer> {
    const text = await this.network.run(
      "server",
      labProgram,
      [...args, "--json", "--data", this.dataDir],
      600_000,
    );
    return JSON.parse(text) as Answer;
  }

  /** The same, printing what it says as it goes. */
  async portolanShown(...args: readonly string[]): Promise<number> {
    const child = this.network.spawnOn(
      "server",
      labProgram,
      [...args, "--data", this.dataDir],
      join(this.folder, "deploy.log"),
    );
    child.stdout?.on("data", (part: Buffer) => {
      for (const line of part.toString("utf8").split("\n")) {
        if (line.trim() !== "") {
          this.steps.say(`  ${line}`);
        }
      }
    });
    return new Promise((resolve) => {
      child.once("close", (code) => resolve(code ?? 1));
    });
  }

  listComputers(): Promise<ListedComputer[]> {
    return this.portolan<ListedComputer[]>("computer", "list");
  }

  /** A bare computer on a segment, switched off. */
  async addComputer(given: {
    readonly name: string;
    readonly firmware: Firmware;
    readonly segment: string;
    readonly memoryMib?: number;
    readonly diskMib?: number;
    /** `network` unless said. UEFI tries each kind of network boot for half a minute before it turns to the disk. */
    readonly bootsFirst?: "network" | "disk";
    /** `ends` unless said: the scenario sees it and switches it on again. */
    readonly restarts?: ComputerPlan["restarts"];
  }): Promise<VirtualComputer> {
    const number = this.computers.length + 1;
    const tap = `tap${number}`;
    await this.network.addTap(tap, given.segment);
    const plan: ComputerPlan = {
      name: given.name,
      firmware: given.firmware,
      mac: `52:54:00:a0:00:0${number}`,
      uuid: `5f0d1c2b-0000-4000-8000-00000000000${number}`,
      tap,
      bootsFirst: given.bootsFirst ?? "network",
      restarts: given.restarts ?? "ends",
      memoryMib: given.memoryMib ?? 768,
      diskMib: given.diskMib ?? 1400,
      accelerator: passedSoftware().accelerator,
      folder: this.folder,
    };
    const computer = new VirtualComputer(plan);
    await computer.prepare();
    this.computers.push(computer);
    return computer;
  }

  /** A copy of the Debian disk whose agent knows this site. */
  async prepareSource(software: LabSoftware, serverAddress: string): Promise<string> {
    const { siteKeyFingerprint } = await this.portolan<{ siteKeyFingerprint: string }>("status");
    const sourcePath = join(this.folder, "source.raw");
    await runProgram("cp", ["--sparse=always", software.diskPath, sourcePath]);
    const settings = `server = "${serverAddress}"\nsiteKey = "${siteKeyFingerprint}"\n`;
    await writeDiskFiles(rootFileSystemOf(sourcePath), [
      { path: "/opt/portolan/agent.mjs", content: await readFile(software.agentBundlePath), mode: "0644" },
      { path: "/etc/portolan/agent.toml", content: settings, mode: "0600" },
    ]);
    return sourcePath;
  }

  async close(): Promise<void> {
    for (const computer of this.computers) {
      await computer.powerOff();
    }
    await this.network.stop();
  }
}

export function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}

/** Asks again and again until the answer is there. */
export async function until<Answer>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<Answer | null>,
): Promise<Answer> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) {
      return answer;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`${what} did not happen within ${timeoutMs / 1000} s`);
    }
    // Asking starts a program each time, on processors that the virtual computers need.
    await sleep(2000);
  }
}

/** SHA-256 of the first bytes of a file. */
export async function hashFile(path: string, sizeBytes: number): Promise<string> {
  const hash = createHash("sha256");
  const handle = await open(path, "r");
  try {
    const buffer = Buffer.alloc(1 << 20);
    for (let offset = 0; offset < sizeBytes; offset += buffer.byteLength) {
      const { bytesRead } = await handle.read(
        buffer,
        0,
        Math.min(buffer.byteLength, sizeBytes - offset),
        offset,
      );
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
  return hash.digest("hex");
}
