import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ImagingSite, run, runWithInput } from "#test/imaging/imaging-site.ts";

/*
 * Capture and restore of a disk with one ext4 partition of Debian's files (those of the machine this runs on), beside
 * `partclone | zstd -3 -T0 | nc` and beside udpcast in the place of nc. Two hosts in network namespaces, disks are loop
 * devices over files. Ours hashes every chunk, encrypts, and reads back what it restored; the peers do none of it, and
 * their disks are flushed within the time. CPU is that of both sides, user and system.
 * usage: portolan bench capture-restore [MiB of the disk] [MiB of files]
 */
const diskMib = Number(process.argv[2] ?? "4096");
const filesMib = Number(process.argv[3] ?? "2800");
const mib = 1 << 20;
const level = "-3";

type Cost = { readonly seconds: number; readonly cpuSeconds: number };
type Row = { readonly capture: Cost; readonly restore: Cost; readonly storedBytes: number };

/** Ends with the measurement, last first. */
const closers: (() => void | Promise<void>)[] = [];
const context = { after: (work: () => void | Promise<void>) => void closers.push(work) };

/** Whole folders of Debian's files, until there are enough. */
function fillWithDebian(folder: string): number {
  let copiedMib = 0;
  for (const name of ["bin", "share", "lib"]) {
    for (const path of run("find", `/usr/${name}`, "-mindepth", "1", "-maxdepth", "1", "-xdev")
      .trim()
      .split("\n")) {
      const sizeMib = Number(run("du", "-sm", path).split("\t")[0]);
      if (copiedMib + sizeMib <= filesMib) {
        cpSync(path, join(folder, path), { recursive: true, verbatimSymlinks: true });
        copiedMib += sizeMib;
      }
    }
  }
  return copiedMib;
}

function attachPartition(device: string): string {
  const place = ["--offset", String(mib), "--sizelimit", String((diskMib - 2) * mib)];
  const loop = run("losetup", "--find", "--show", ...place, device).trim();
  context.after(() => void run("losetup", "--detach", loop));
  return loop;
}

/** A disk with one partition, which is a block device of its own too. */
function makeDisk(site: ImagingSite, name: string): { readonly device: string; readonly partition: string } {
  const path = join(site.folder, name);
  writeFileSync(path, "");
  truncateSync(path, diskMib * mib);
  const line = `start=1MiB, size=${diskMib - 2}MiB`;
  runWithInput(`label: gpt\n${line}\n`, "sfdisk", "-q", path);
  const device = site.attach(path);
  return { device, partition: attachPartition(device) };
}

function makeSource(site: ImagingSite): ReturnType<typeof makeDisk> {
  const source = makeDisk(site, "source.raw");
  run("mkfs.ext4", "-q", "-F", source.partition);
  const folder = join(site.folder, "mounted");
  mkdirSync(folder);
  run("mount", source.partition, folder);
  try {
    const copiedMib = fillWithDebian(folder);
    process.stderr.write(`a disk of ${diskMib} MiB with ${copiedMib} MiB of Debian's files\n`);
  } finally {
    run("umount", folder);
  }
  return source;
}

/** Processor seconds of a process that goes on, with its ended children. proc_pid_stat(5) */
function cpuSecondsOf(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const ticks = fields
    .slice(11, 15)
    .map(Number)
    .reduce((sum, count) => sum + count, 0);
  return ticks / 100;
}

async function measureOurs(site: ImagingSite, sourceDevice: string, targetDevice: string): Promise<Row> {
  const server = await site.startServer();
  const one = await site.startComputer("pc1", sourceDevice);
  const two = await site.startComputer("pc2", targetDevice);
  const measure = async (work: () => Promise<unknown>): Promise<Cost> => {
    const pids = [server, one.agent, two.agent].map(({ child }) => child.pid);
    const cpu = (): number => pids.map(cpuSecondsOf).reduce((sum, seconds) => sum + seconds, 0);
    const [startedAtMs, before] = [performance.now(), cpu()];
    await work();
    return { seconds: (performance.now() - startedAtMs) / 1000, cpuSeconds: cpu() - before };
  };
  const patienceMs = 900_000;
  const capture = await measure(async () => {
    site.startPortolan("image", "capture", one.id, "--name", "debian");
    await one.agent.waitFor("captured as image", patienceMs);
  });
  const restore = await measure(async () => {
    site.startPortolan("deploy", "debian", two.id);
    await two.agent.waitFor("task done", patienceMs);
  });
  const [image] = site.portolan("image", "list") as { storedBytes: number }[];
  return { capture, restore, storedBytes: image?.storedBytes ?? 0 };
}

/** Two shell lines on two hosts, the receiving one first. Fixed texts and paths of this file only. */
async function runPair(
  site: ImagingSite,
  receiving: { readonly host: string; readonly line: string },
  sending: { readonly host: string; readonly line: string },
): Promise<Cost> {
  const start = (host: string, line: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const timed = `TIMEFORMAT='%U %S'; set -o pipefail; time { ${line}; }`;
      const child = spawn("ip", ["netns", "exec", site.hosts.namespace(host), "bash", "-c", timed]);
      let output = "";
      child.stderr.on("data", (part: Buffer) => {
        output = (output + part.toString("utf8")).slice(-2000);
      });
      child.stdout.resume();
      child.once("close", (code) => {
        const [user, system] = output.trim().split("\n").at(-1)?.split(" ") ?? [];
        return code === 0
          ? resolve(Number(user) + Number(system))
          : reject(new Error(`${line} ended with ${code}: ${output}`));
      });
    });
  const received = start(receiving.host, receiving.line);
  await new Promise((resolve) => {
    setTimeout(resolve, 500);
  });
  const startedAtMs = performance.now();
  const [sentCpu, receivedCpu] = await Promise.all([start(sending.host, sending.line), received]);
  return { seconds: (performance.now() - startedAtMs) / 1000, cpuSeconds: sentCpu + receivedCpu };
}

async function measurePeer(
  site: ImagingSite,
  peer: "nc" | "udpcast",
  source: string,
  target: string,
): Promise<Row> {
  const path = join(site.folder, `${peer}.zst`);
  const log = join(site.folder, "partclone.log");
  const udp = "--interface eth0 --portbase 9000 --nokbd";
  const [sendTo, receive] =
    peer === "nc"
      ? [(address: string) => `nc -N ${address} 9000`, "nc -l 9000"]
      : [() => `udp-sender ${udp} --min-receivers 1 --full-duplex`, `udp-receiver ${udp}`];
  const clone = `partclone.extfs -c -s ${source} -o - -L ${log} -q -F`;
  const restoreClone = `partclone.restore -s - -o ${target} -L ${log} -q -F`;
  const capture = await runPair(
    site,
    { host: "server", line: `${receive} > ${path}; sync -d ${path}` },
    { host: "pc1", line: `${clone} | zstd ${level} -T0 | ${sendTo("10.7.0.1")}` },
  );
  const restore = await runPair(
    site,
    { host: "pc2", line: `${receive} | zstd -dc | ${restoreClone}; blockdev --flushbufs ${target}` },
    { host: "server", line: `${sendTo("10.7.0.3")} < ${path}` },
  );
  execFileSync("e2fsck", ["-f", "-n", target], { stdio: "ignore" });
  const storedBytes = statSync(path).size;
  rmSync(path);
  return { capture, restore, storedBytes };
}

function print(rows: Readonly<Record<string, Row>>, usedBytes: number): void {
  const ours = rows["portolan"];
  const head = ["program", "capture s", "restore s", "stored MB", "CPU s/GB capture", "CPU s/GB restore"];
  const lines = Object.entries(rows).map(([name, { capture, restore, storedBytes }]) => [
    name,
    capture.seconds.toFixed(1),
    restore.seconds.toFixed(1),
    (storedBytes / 1e6).toFixed(0),
    (capture.cpuSeconds / (usedBytes / 1e9)).toFixed(1),
    (restore.cpuSeconds / (usedBytes / 1e9)).toFixed(1),
  ]);
  for (const [name, { capture, restore, storedBytes }] of Object.entries(rows)) {
    if (ours !== undefined && name !== "portolan") {
      const faster = [capture.seconds / ours.capture.seconds, restore.seconds / ours.restore.seconds];
      const ratios = [...faster, ours.storedBytes / storedBytes].map((ratio) => ratio.toFixed(2));
      lines.push([`${name}: times ours, times ours, ours in its size`, ...ratios, "", ""]);
    }
  }
  for (const cells of [head, head.map(() => "---"), ...lines]) {
    process.stdout.write(`| ${cells.join(" | ")} |\n`);
  }
  process.stdout.write(`${JSON.stringify({ diskMib, usedBytes, rows })}\n`);
}

async function main(): Promise<void> {
  try {
    const site = new ImagingSite(context, ["pc1", "pc2"]);
    const source = makeSource(site);
    const target = makeDisk(site, "target.raw");
    const rows: Record<string, Row> = {};
    for (const peer of ["nc", "udpcast"] as const) {
      rows[`partclone, zstd, ${peer}`] = await measurePeer(site, peer, source.partition, target.partition);
      run("blkdiscard", target.device);
    }
    rows["portolan"] = await measureOurs(site, source.device, target.device);
    const facts = run("dumpe2fs", "-h", source.partition);
    const [free, size] = [/^Free blocks:\s+(\d+)/m, /^Block size:\s+(\d+)/m].map(
      (fact) => fact.exec(facts)?.[1],
    );
    const usedBytes = (diskMib - 2) * mib - Number(free) * Number(size);
    print(rows, usedBytes);
  } finally {
    for (const close of closers.toReversed()) {
      await close();
    }
  }
}

await main();
