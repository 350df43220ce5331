import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importRawDisk } from "#server/image-import.ts";
import { ChunkStore } from "#server/chunk-store.ts";
import type { TransmitPlan, TransmitReceiver, TransmitResult } from "#test/imaging/transmit-plan.ts";

/** What the cables of a room do. Every receiver has faults of its own. */
export type RoomLink = {
  /** Of the sender's cable and of each receiver's; `null`: as fast as this machine copies. */
  readonly mbps: number | null;
  readonly lossPercent?: number;
  readonly duplicatePercent?: number;
  /** Held back on a narrow way beside the others, so that later ones overtake them. */
  readonly reorderPercent?: number;
  /** By receiver's place: a cable of its own speed. */
  readonly mbpsOf?: Readonly<Record<number, number>>;
  /** A cable from the sender to its one receiver, with no switch between them: what is measured is not the switch. */
  readonly isCable?: boolean;
};

function execute(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
}

/** A sender, a switch and receivers in network namespaces, and random bytes (which do not compress) to send. */
export class BenchRoom {
  readonly folder = mkdtempSync("/dev/shm/portolan-bench-");
  readonly receivers: readonly string[];
  readonly sender: string;
  readonly #switchName: string;
  #contentBytes = 0;
  #chunkCount = 0;

  constructor(receiverCount: number) {
    const prefix = `ptm${process.pid}`;
    this.sender = `${prefix}-sender`;
    this.#switchName = `${prefix}-switch`;
    this.receivers = Array.from({ length: receiverCount }, (_, index) => `${prefix}-r${index}`);
  }

  get contentBytes(): number {
    return this.#contentBytes;
  }

  get chunkCount(): number {
    return this.#chunkCount;
  }

  get diskPath(): string {
    return join(this.folder, "disk.img");
  }

  open(): void {
    const switchName = this.#switchName;
    for (const namespace of [switchName, this.sender, ...this.receivers]) {
      execute("ip", ["netns", "add", namespace]);
      execute("ip", ["-n", namespace, "link", "set", "lo", "up"]);
    }
    const bridge = ["room", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0"];
    execute("ip", ["-n", switchName, "link", "add", ...bridge]);
    execute("ip", ["-n", switchName, "link", "set", "room", "up"]);
    this.#keepFromIpRules();
    for (const [index, namespace] of [this.sender, ...this.receivers].entries()) {
      const port = `p${index}`;
      const peer = ["type", "veth", "peer", "name", "eth0", "netns", namespace];
      execute("ip", ["link", "add", port, "netns", switchName, ...peer]);
      execute("ip", ["-n", switchName, "link", "set", port, "master", "room", "up"]);
      execute("ip", ["-n", namespace, "link", "set", "eth0", "up"]);
      const address = `10.98.0.${index + 1}/24`;
      execute("ip", ["-n", namespace, "addr", "add", address, "brd", "+", "dev", "eth0"]);
      execute("ip", ["-n", namespace, "route", "add", "224.0.0.0/4", "dev", "eth0"]);
    }
  }

  /** A switch knows no IP rules; asked of each datagram (br_netfilter), they take a good part of the processors. */
  #keepFromIpRules(): void {
    if (existsSync("/proc/sys/net/bridge")) {
      this.#inside(this.#switchName, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0");
    }
  }

  close(): void {
    for (const namespace of [this.#switchName, this.sender, ...this.receivers]) {
      execute("ip", ["netns", "delete", namespace]);
    }
    rmSync(this.folder, { recursive: true });
  }

  async fill(contentBytes: number): Promise<void> {
    this.#contentBytes = contentBytes;
    writeFileSync(this.diskPath, randomBytes(contentBytes));
    const store = new ChunkStore(join(this.folder, "chunks"));
    const imported = await importRawDisk(store, { path: this.diskPath, name: "bench" }, () => undefined);
    writeFileSync(join(this.folder, "manifest.json"), imported.manifestText);
    this.#chunkCount = (JSON.parse(imported.manifestText) as { chunks: unknown[] }).chunks.length;
  }

  /**
   * Sets the cables. From here on datagrams travel one by one between the network cards, as on a cable, and a receiver's
   * card joins them again (GRO), as real ones do.
   */
  shape(link: RoomLink): void {
    const {
      mbps,
      lossPercent = 0,
      duplicatePercent = 0,
      reorderPercent = 0,
      mbpsOf = {},
      isCable = false,
    } = link;
    this.#inside(this.sender, "ethtool", "-K", "eth0", "tx-udp-segmentation", "off");
    if (mbps !== null) {
      const bucket = ["rate", `${mbps}mbit`, "burst", isCable ? "128kb" : "64kb", "limit", "32mb"];
      this.#inside(this.sender, "tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", ...bucket);
    }
    if (isCable) {
      this.#layCable(lossPercent);
      return;
    }
    const rules = [
      "flush ruleset",
      "table bridge cables {",
      " chain forward { type filter hook forward priority 0;",
    ];
    const egress: string[] = [];
    for (const [index, namespace] of this.receivers.entries()) {
      const port = `p${index + 1}`;
      this.#inside(namespace, "ethtool", "-K", "eth0", "gro", "on");
      const rate = mbpsOf[index] ?? mbps;
      if (rate !== null) {
        this.#shapePort(port, rate, (rate * reorderPercent) / 100);
      }
      if (lossPercent > 0) {
        rules.push(`  oifname "${port}" udp dport 401 numgen random mod 1000 < ${lossPercent * 10} drop`);
      }
      if (reorderPercent > 0) {
        const share = `numgen random mod 1000 < ${reorderPercent * 10}`;
        rules.push(`  oifname "${port}" udp dport 401 ${share} meta priority set 1:20`);
      }
      if (duplicatePercent > 0) {
        const share = `numgen random mod 1000 < ${duplicatePercent * 10}`;
        const chain = `chain ${port} { type filter hook egress device "${port}" priority 0;`;
        egress.push(` ${chain} udp dport 401 ${share} dup to "${port}"; }`);
      }
    }
    rules.push(" }", "}", "table netdev copies {", ...egress, "}");
    this.#loadRules(rules);
  }

  /**
   * Datagrams go straight to the receiver's card; all else, which is little, still goes by the switch. The sender's card
   * cuts them up behind its rate, as a real one does: a rate kept for each datagram is a timer for each, and in a virtual
   * machine that costs more than everything else.
   */
  #layCable(lossPercent: number): void {
    const [receiver = ""] = this.receivers;
    this.#inside(receiver, "ethtool", "-K", "eth0", "gro", "on");
    this.#inside(this.sender, "ethtool", "-K", "eth0", "tx-udp-segmentation", "on");
    this.#inside(this.#switchName, "ip", "link", "add", "card", "type", "veth", "peer", "name", "cable");
    for (const name of ["card", "cable"]) {
      this.#inside(this.#switchName, "ip", "link", "set", name, "up");
    }
    this.#inside(this.#switchName, "ethtool", "-K", "card", "tx-udp-segmentation", "off");
    const ingress = (device: string, ...rules: readonly string[]): string[] => [
      ` chain ${device} { type filter hook ingress device "${device}" priority 0;`,
      ...rules.map((rule) => `  udp dport 401 ${rule}`),
      " }",
    ];
    const loss = lossPercent > 0 ? [`numgen random mod 1000 < ${lossPercent * 10} drop`] : [];
    this.#loadRules([
      "flush ruleset",
      "table netdev cables {",
      ...ingress("p0", 'fwd to "card"'),
      ...ingress("cable", ...loss, 'fwd to "p1"'),
      "}",
    ]);
  }

  #loadRules(rules: readonly string[]): void {
    const path = join(this.folder, "cables.nft");
    writeFileSync(path, `${rules.join("\n")}\n`);
    this.#inside(this.#switchName, "nft", "-f", path);
  }

  /** A queue of 512 KB, as a switch has for a port. */
  #shapePort(port: string, mbps: number, reorderedMbps: number): void {
    const tc = (...args: readonly string[]): void => this.#inside(this.#switchName, "tc", ...args);
    tc("qdisc", "replace", "dev", port, "root", "handle", "1:", "htb", "default", "10");
    tc(
      "class",
      "replace",
      "dev",
      port,
      "parent",
      "1:",
      "classid",
      "1:10",
      "htb",
      "rate",
      `${mbps}mbit`,
      ...["quantum", "1514"],
    );
    tc("qdisc", "replace", "dev", port, "parent", "1:10", "handle", "10:", "bfifo", "limit", "512kb");
    if (reorderedMbps > 0) {
      const narrow = ["rate", `${Math.ceil(reorderedMbps * 1300)}kbit`, "burst", "1600", "cburst", "1600"];
      tc("class", "replace", "dev", port, "parent", "1:", "classid", "1:20", "htb", ...narrow);
    }
  }

  transmit(receivers: readonly TransmitReceiver[], maxMbps = 0): Promise<TransmitResult> {
    const chunksFolder = join(this.folder, "chunks");
    const plan: TransmitPlan = {
      chunksFolder,
      manifestPath: join(this.folder, "manifest.json"),
      maxMbps,
      receivers,
    };
    const path = join(this.folder, "plan.json");
    writeFileSync(path, JSON.stringify(plan));
    const nodeArgs = ["--disable-warning=ExperimentalWarning", "--experimental-ffi"];
    const program = [process.execPath, ...nodeArgs, "test/imaging/transmit.ts", path];
    return new Promise((resolve, reject) => {
      const child = spawn("ip", ["netns", "exec", this.sender, ...program], {
        stdio: ["ignore", "pipe", "inherit"],
        timeout: 300_000,
      });
      let output = "";
      child.stdout.on("data", (part: Buffer) => {
        output += part.toString("utf8");
      });
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0) {
          resolve(JSON.parse(output) as TransmitResult);
        } else {
          reject(new Error(`the transmission ended with ${code}: ${output.slice(-500)}`));
        }
      });
    });
  }

  #inside(namespace: string, program: string, ...args: readonly string[]): void {
    execute("ip", ["netns", "exec", namespace, program, ...args]);
  }
}

/** A table in Markdown, and the same as one line of JSON. */
export function printTable(
  title: string,
  conditions: string,
  rows: readonly Readonly<Record<string, string | number>>[],
): void {
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |\n`;
  process.stdout.write(`\n${title}: ${conditions}\n\n`);
  process.stdout.write(line(columns) + line(columns.map(() => "---")));
  for (const row of rows) {
    process.stdout.write(line(columns.map((column) => row[column] ?? "")));
  }
  process.stdout.write(`\n${JSON.stringify({ title, conditions, rows })}\n`);
}
