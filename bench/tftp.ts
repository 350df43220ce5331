import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/*
 * TFTP throughput beside dnsmasq and atftpd: one file of 20 MiB read by atftp with blocks of 1468 bytes, alone and by ten
 * clients at once, lock-step and with a window of 16. Servers take turns in one pair of network namespaces joined by a
 * veth; the best of three runs counts. dnsmasq 2.90 and atftpd 0.8 answer a window they do not know with lock-step.
 * usage: portolan bench tftp
 */
const fileSizeBytes = 20 << 20;
const prefix = `ptb${process.pid}`;
const server = `${prefix}-server`;
const client = `${prefix}-client`;
const serverAddress = "10.99.0.1";

type Peer = {
  readonly name: string;
  readonly program: string;
  readonly args: (folder: string) => readonly string[];
};

const peers: readonly Peer[] = [
  {
    name: "portolan",
    program: process.execPath,
    args: () => ["--disable-warning=ExperimentalWarning", "test/tftp/serve-tftp.ts", "eth0", "dynamic"],
  },
  {
    name: "dnsmasq",
    program: "dnsmasq",
    args: (folder) => [
      ...["--keep-in-foreground", "--port=0", "--conf-file=/dev/null", "--user=root", "--enable-tftp"],
      "--pid-file=",
      `--tftp-root=${folder}`,
    ],
  },
  {
    name: "atftpd",
    program: "atftpd",
    args: (folder) => ["--daemon", "--no-fork", "--user", "root.root", "--logfile", "/dev/null", folder],
  },
];

function ip(...args: readonly string[]): void {
  execFileSync("ip", [...args], { stdio: ["ignore", "ignore", "inherit"] });
}

function setUp(): void {
  for (const namespace of [server, client]) {
    ip("netns", "add", namespace);
    ip("-n", namespace, "link", "set", "lo", "up");
  }
  ip("link", "add", "eth0", "netns", server, "type", "veth", "peer", "name", "eth0", "netns", client);
  ip("-n", server, "addr", "add", `${serverAddress}/24`, "brd", "+", "dev", "eth0");
  ip("-n", client, "addr", "add", "10.99.0.2/24", "brd", "+", "dev", "eth0");
  ip("-n", server, "link", "set", "eth0", "up");
  ip("-n", client, "link", "set", "eth0", "up");
}

function tearDown(): void {
  ip("netns", "delete", server);
  ip("netns", "delete", client);
}

function read(folder: string, index: number, window: number | null): Promise<void> {
  const target = join(folder, `got-${index}`);
  const options = [
    "--option",
    "blksize 1468",
    ...(window === null ? [] : ["--option", `windowsize ${window}`]),
  ];
  const args = [
    "netns",
    "exec",
    client,
    "atftp",
    ...options,
    "-g",
    "-r",
    "large.bin",
    "-l",
    target,
    serverAddress,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn("ip", args, { stdio: "ignore" });
    child.once("exit", () => {
      const gotBytes = statSync(target, { throwIfNoEntry: false })?.size ?? 0;
      rmSync(target, { force: true });
      if (gotBytes === fileSizeBytes) {
        resolve();
      } else {
        reject(new Error(`a client got ${gotBytes} of ${fileSizeBytes} bytes`));
      }
    });
  });
}

/** MB/s over all clients; the best of three, `null` when a client did not get the file. */
async function measure(folder: string, clientCount: number, window: number | null): Promise<number | null> {
  let best: number | null = null;
  for (let round = 0; round < 3; round += 1) {
    const startedAtMs = performance.now();
    try {
      await Promise.all(Array.from({ length: clientCount }, (_, index) => read(folder, index, window)));
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      return null;
    }
    const rate = (clientCount * fileSizeBytes) / 1000 / (performance.now() - startedAtMs);
    best = Math.max(best ?? 0, rate);
  }
  return best;
}

async function startPeer(peer: Peer, folder: string): Promise<ChildProcess> {
  const child = spawn("ip", ["netns", "exec", server, peer.program, ...peer.args(folder)], {
    stdio: "ignore",
  });
  await new Promise((resolve) => {
    setTimeout(resolve, 1500);
  });
  return child;
}

const cases = [
  { title: "1 client, lock-step", clientCount: 1, window: null },
  { title: "1 client, window 16", clientCount: 1, window: 16 },
  { title: "10 clients, lock-step", clientCount: 10, window: null },
  { title: "10 clients, window 16", clientCount: 10, window: 16 },
] as const;

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-bench-"));
  const bytes = Buffer.alloc(fileSizeBytes, 0);
  for (let index = 0; index < bytes.byteLength; index += 1) {
    bytes[index] = (index * 31 + (index >> 9)) & 255;
  }
  writeFileSync(join(folder, "large.bin"), bytes);
  setUp();
  const results: Record<string, Record<string, number | null>> = {};
  try {
    for (const peer of peers) {
      const child = await startPeer(peer, folder);
      for (const { title, clientCount, window } of cases) {
        results[title] = { ...results[title], [peer.name]: await measure(folder, clientCount, window) };
      }
      const ended = new Promise((resolve) => {
        child.once("exit", resolve);
      });
      execFileSync("sh", ["-c", `kill -KILL $(ip netns pids ${server})`]);
      await ended;
    }
  } finally {
    tearDown();
    rmSync(folder, { recursive: true });
  }
  process.stdout.write(
    `| case | ${peers.map(({ name }) => `${name} MB/s`).join(" | ")} | ours / best peer |\n`,
  );
  process.stdout.write(`|---|${peers.map(() => "---|").join("")}---|\n`);
  for (const [title, row] of Object.entries(results)) {
    const best = Math.max(...peers.slice(1).map(({ name }) => row[name] ?? 0));
    const ratio = best === 0 ? "-" : ((row["portolan"] ?? 0) / best).toFixed(2);
    const cells = peers.map(({ name }) => row[name]?.toFixed(1) ?? "failed");
    process.stdout.write(`| ${title} | ${cells.join(" | ")} | ${ratio} |\n`);
  }
  process.stdout.write(`${JSON.stringify(results)}\n`);
}

await main();
