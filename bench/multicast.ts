import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importRawDisk } from "#server/image-import.ts";
import { ChunkStore } from "#server/chunk-store.ts";
import type { TransmitPlan, TransmitResult } from "#test/imaging/transmit-plan.ts";

/*
 * Multicast goodput beside udpcast and uftp: random bytes (which do not compress), from memory, to 1 and 3 receivers in
 * network namespaces on one bridge, no loss, MTU 1500. Ours and udpcast discard what arrived, uftp writes it to memory; ours decrypts,
 * decompresses and checks every chunk by its SHA-256, uftp runs without encryption and udpcast has none. Each
 * program is timed from the moment its receivers have joined until all have everything; the best of three runs counts.
 * usage: portolan bench multicast [MiB]
 */
const fileSizeBytes = Number(process.argv[2] ?? "64") << 20;
const prefix = `ptm${process.pid}`;
const receiverCountMax = 3;
const sender = `${prefix}-sender`;
const receivers = Array.from({ length: receiverCountMax }, (_, index) => `${prefix}-r${index}`);
const switchName = `${prefix}-switch`;

function ip(...args: readonly string[]): void {
  execFileSync("ip", [...args], { stdio: ["ignore", "ignore", "inherit"] });
}

function setUp(): void {
  for (const namespace of [switchName, sender, ...receivers]) {
    ip("netns", "add", namespace);
    ip("-n", namespace, "link", "set", "lo", "up");
  }
  ip("-n", switchName, "link", "add", "room", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0");
  ip("-n", switchName, "link", "set", "room", "up");
  for (const [index, namespace] of [sender, ...receivers].entries()) {
    const port = `p${index}`;
    ip("link", "add", port, "netns", switchName, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    ip("-n", switchName, "link", "set", port, "master", "room", "up");
    ip("-n", namespace, "link", "set", "eth0", "up");
    ip("-n", namespace, "addr", "add", `10.98.0.${index + 1}/24`, "brd", "+", "dev", "eth0");
    ip("-n", namespace, "route", "add", "224.0.0.0/4", "dev", "eth0");
  }
}

function tearDown(): void {
  for (const namespace of [switchName, sender, ...receivers]) {
    ip("netns", "delete", namespace);
  }
}

type Run = { readonly output: string; readonly markedMs: number };

/** Runs to the end; `markedMs` is the time since `mark` was printed, or since the start. */
function run(namespace: string, program: string, args: readonly string[], mark: string | null): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn("ip", ["netns", "exec", namespace, program, ...args]);
    let output = "";
    let markedAtMs = performance.now();
    let isMarked = mark === null;
    const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
    const append = (part: Buffer): void => {
      output += part.toString("utf8");
      if (!isMarked && mark !== null && output.includes(mark)) {
        isMarked = true;
        markedAtMs = performance.now();
      }
    };
    child.stdout.on("data", append);
    child.stderr.on("data", append);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      if (code === 0 && isMarked) {
        resolve({ output, markedMs: performance.now() - markedAtMs });
      } else {
        reject(new Error(`${program} ended with ${code}: ${output.slice(-500)}`));
      }
    });
  });
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}

async function runOurs(folder: string, count: number): Promise<number> {
  const plan: TransmitPlan = {
    chunksFolder: join(folder, "chunks"),
    manifestPath: join(folder, "manifest.json"),
    maxMbps: 0,
    receivers: receivers.slice(0, count).map((namespace) => ({ namespace })),
  };
  const planPath = join(folder, "plan.json");
  writeFileSync(planPath, JSON.stringify(plan));
  const nodeArgs = ["--disable-warning=ExperimentalWarning", "--experimental-ffi"];
  const args = [...nodeArgs, "test/imaging/transmit.ts", planPath];
  const { output } = await run(sender, process.execPath, args, null);
  const result = JSON.parse(output) as TransmitResult;
  const completeCount = Object.values(result.complete).filter(
    (receiver) => receiver?.isComplete === true,
  ).length;
  if (completeCount !== count) {
    throw new Error(`${completeCount} of ${count} receivers have everything: ${output}`);
  }
  return result.durationMs;
}

async function runUdpcast(folder: string, count: number): Promise<number> {
  const common = ["--interface", "eth0", "--portbase", "9000", "--nokbd"];
  const receiving = receivers
    .slice(0, count)
    .map((namespace) => run(namespace, "udp-receiver", [...common, "--file", "/dev/null"], null));
  await pause(300);
  const args = [
    ...common,
    "--file",
    join(folder, "disk.img"),
    "--min-receivers",
    String(count),
    "--full-duplex",
  ];
  const sending = run(sender, "udp-sender", args, "Starting transfer");
  const [{ markedMs }] = await Promise.all([sending, ...receiving]);
  return markedMs;
}

async function runUftp(folder: string, count: number): Promise<number> {
  const daemons = receivers.slice(0, count).map((namespace, index) => {
    const target = join(folder, `uftp-${index}`);
    mkdirSync(target, { recursive: true });
    return spawn(
      "ip",
      [
        "netns",
        "exec",
        namespace,
        "uftpd",
        "-d",
        "-I",
        "eth0",
        "-D",
        target,
        "-U",
        `0x0000000${index + 1}`,
        "-B",
        "16000000",
      ],
      { stdio: "ignore" },
    );
  });
  try {
    await pause(700);
    const args = ["-R", "-1", "-I", "eth0", "-U", "0x000000ff", "-B", "16000000", join(folder, "disk.img")];
    const { output } = await run(sender, "uftp", args, null);
    const seconds = /Total elapsed time: ([0-9.]+) seconds/.exec(output)?.[1];
    const completeCount = output.match(/Host: 0x0000000\d\s+Status: Completed/g)?.length ?? 0;
    if (seconds === undefined || completeCount < count) {
      throw new Error(`uftp: ${output.slice(-800)}`);
    }
    return Number(seconds) * 1000;
  } finally {
    for (const [index, daemon] of daemons.entries()) {
      const ended = new Promise((resolve) => {
        daemon.once("exit", resolve);
      });
      daemon.kill("SIGKILL");
      await ended;
      rmSync(join(folder, `uftp-${index}`), { recursive: true, force: true });
    }
  }
}

const programs = { portolan: runOurs, udpcast: runUdpcast, uftp: runUftp } as const;

/** MB of content to each receiver per second; the best of three, `null` when it did not end well. */
async function measure(name: keyof typeof programs, folder: string, count: number): Promise<number | null> {
  let best: number | null = null;
  for (let round = 0; round < 3; round += 1) {
    try {
      const durationMs = await programs[name](folder, count);
      best = Math.max(best ?? 0, fileSizeBytes / 1000 / durationMs);
    } catch (error) {
      process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  return best;
}

async function main(): Promise<void> {
  const folder = mkdtempSync("/dev/shm/portolan-bench-");
  const results: Record<string, Record<string, number | null>> = {};
  setUp();
  try {
    const path = join(folder, "disk.img");
    writeFileSync(path, randomBytes(fileSizeBytes));
    const store = new ChunkStore(join(folder, "chunks"));
    const { manifestText } = await importRawDisk(store, { path, name: "bench" }, () => undefined);
    writeFileSync(join(folder, "manifest.json"), manifestText);
    for (const count of [1, receiverCountMax]) {
      const row: Record<string, number | null> = {};
      for (const name of ["portolan", "udpcast", "uftp"] as const) {
        row[name] = await measure(name, folder, count);
      }
      results[`${count} receiver${count === 1 ? "" : "s"}`] = row;
    }
  } finally {
    tearDown();
    rmSync(folder, { recursive: true });
  }
  const cell = (value: number | null | undefined): string => value?.toFixed(1) ?? "failed";
  process.stdout.write(
    "| case | portolan MB/s | udpcast MB/s | uftp MB/s | ours / udpcast | ours / uftp |\n",
  );
  process.stdout.write("|---|---|---|---|---|---|\n");
  for (const [title, { portolan, udpcast, uftp }] of Object.entries(results)) {
    const ratio = (peer: number | null | undefined): string =>
      peer === null || peer === undefined ? "-" : ((portolan ?? 0) / peer).toFixed(2);
    const cells = [portolan, udpcast, uftp].map(cell);
    process.stdout.write(`| ${title} | ${cells.join(" | ")} | ${ratio(udpcast)} | ${ratio(uftp)} |\n`);
  }
  process.stdout.write(`${JSON.stringify({ fileSizeBytes, results })}\n`);
}

await main();
