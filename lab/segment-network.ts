import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { runProgram } from "./run-program.ts";

const switchName = "switch";

/** Switches, cables and machines of the lab, as network namespaces. One bridge for each segment, all in one switch. */
export class SegmentNetwork {
  readonly #processes: ChildProcess[] = [];
  readonly #namespaces = new Set<string>();
  #nextPort = 0;

  async start(): Promise<void> {
    await this.#addNamespace(switchName);
  }

  /** A switch without routing; spanning tree off, as on an edge port. */
  async addSegment(name: string): Promise<void> {
    await this.#ip(
      "-n",
      switchName,
      "link",
      "add",
      name,
      "type",
      "bridge",
      "forward_delay",
      "0",
      "stp_state",
      "0",
      "mcast_snooping",
      "0",
    );
    await this.#ip("-n", switchName, "link", "set", name, "up");
  }

  /** A cable from a host's interface to a segment. `address` with prefix, `null` for none. */
  async connect(host: string, interfaceName: string, segment: string, address: string | null): Promise<void> {
    if (!this.#namespaces.has(host)) {
      await this.#addNamespace(host);
    }
    this.#nextPort += 1;
    const port = `port${this.#nextPort}`;
    await this.#ip(
      "link",
      "add",
      port,
      "netns",
      switchName,
      "type",
      "veth",
      "peer",
      "name",
      interfaceName,
      "netns",
      host,
    );
    await this.#ip("-n", switchName, "link", "set", port, "master", segment, "up");
    await this.#ip("-n", host, "link", "set", interfaceName, "up");
    // Guests check what a virtual cable leaves unfinished: checksums are computed here, not promised.
    await runProgram("ip", ["netns", "exec", host, "ethtool", "-K", interfaceName, "tx", "off"]).catch(
      () => "",
    );
    if (address !== null) {
      await this.#ip("-n", host, "addr", "add", address, "brd", "+", "dev", interfaceName);
      await this.#ip("-n", host, "route", "add", "224.0.0.0/4", "dev", interfaceName).catch(() => "");
    }
  }

  /** A tap for a virtual computer on a segment; it is used inside the switch's namespace. */
  async addTap(name: string, segment: string): Promise<void> {
    await this.#ip("-n", switchName, "tuntap", "add", "dev", name, "mode", "tap");
    await this.#ip("-n", switchName, "link", "set", name, "master", segment, "up");
  }

  /** Counts bytes and packets that enter the segment's switch towards multicast groups, by nftables. */
  async countMulticast(port: string): Promise<void> {
    const rules = [
      "table bridge count {",
      "chain in {",
      "type filter hook prerouting priority 0",
      `iifname "${port}" ip daddr 224.0.0.0/4 counter`,
      "}",
      "}",
    ].join("\n");
    await runProgram("ip", ["netns", "exec", switchName, "nft", "-f", "-"], { input: `${rules}\n` });
  }

  async readMulticastBytes(): Promise<number> {
    const text = await runProgram("ip", [
      "netns",
      "exec",
      switchName,
      "nft",
      "list",
      "table",
      "bridge",
      "count",
    ]);
    const bytes = /bytes (\d+)/.exec(text)?.[1];
    if (bytes === undefined) {
      throw new Error(`the switch counts nothing; nft says:\n${text}`);
    }
    return Number(bytes);
  }

  /** Drops a share of what leaves the switch towards these taps, in percent. This kernel may lack netem. */
  async loseTowards(taps: readonly string[], percent: number): Promise<void> {
    const set = taps.map((tap) => `"${tap}"`).join(", ");
    const rules = [
      "table bridge loss {",
      "chain forward {",
      "type filter hook forward priority 0",
      `oifname { ${set} } numgen random mod 1000 < ${Math.round(percent * 10)} drop`,
      "}",
      "}",
    ].join("\n");
    await runProgram("ip", ["netns", "exec", switchName, "nft", "-f", "-"], { input: `${rules}\n` });
  }

  /** The switch's port that leads to a host that was connected n-th, from 1. */
  portName(index: number): string {
    return `port${index}`;
  }

  /** Starts a program on a host, its output going to a file. */
  spawnOn(
    host: string,
    program: string,
    args: readonly string[],
    logPath: string,
    env: Record<string, string> = {},
  ): ChildProcess {
    const child = spawn("ip", ["netns", "exec", host, program, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    const log = createWriteStream(logPath, { flags: "a" });
    // Two streams share the log, so neither may end it.
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once("close", () => log.end());
    this.#processes.push(child);
    return child;
  }

  run(host: string, program: string, args: readonly string[], timeoutMs = 120_000): Promise<string> {
    return runProgram("ip", ["netns", "exec", host, program, ...args], { timeoutMs });
  }

  async stop(): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
      }
    }
    for (const namespace of this.#namespaces) {
      await this.#ip("netns", "delete", namespace).catch(() => "");
    }
  }

  async #addNamespace(name: string): Promise<void> {
    await this.#ip("netns", "add", name);
    this.#namespaces.add(name);
    await this.#ip("-n", name, "link", "set", "lo", "up");
  }

  #ip(...args: readonly string[]): Promise<string> {
    return runProgram("ip", args);
  }
}

export { switchName };
