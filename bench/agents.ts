import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createApiClient } from "#cli/api-client.ts";
import { createSiteKey, fingerprintOf, SiteAuthority, type SiteKeyMaterial } from "#server/site-authority.ts";
import { ComputerStore, type StoredComputer } from "#store/computer-store.ts";
import { openDatabase } from "#store/database.ts";
import { SiteStore } from "#store/site-store.ts";
import { MacAddress } from "#wire/address/mac-address.ts";

/*
 * How many agents one server holds: real agents (the product's own class) with real TLS, each with a certificate and a source
 * address of its own, on the loopback interface of a network namespace. Measures the server's memory and processor time with
 * all of them idle, then kills the server and measures how long it takes until all are back.
 *
 * usage: portolan bench agents [COUNT] [IDLE-SECONDS]
 */

/** What a process of agents is told. */
export type BenchAgents = {
  readonly keyPem: string;
  readonly siteKeyFingerprint: string;
  readonly computers: readonly { readonly mac: string; readonly certificatePem: string }[];
};

const yearMs = 365 * 24 * 3_600_000;
const agentsPerProcess = 2500;
const ticksPerSecond = 100;
const stormLimitMs = 600_000;
const self = fileURLToPath(import.meta.url);
const root = join(import.meta.dirname, "..");

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}

/** A site with so many approved computers, as if they had enrolled long ago. They share one key to save time. */
async function createSite(dataDir: string, count: number): Promise<BenchAgents> {
  const db = await openDatabase("sqlite:", dataDir);
  const nowMs = Date.now();
  const site = new SiteStore(db);
  const material = await site.readOrCreate("site-key", async () =>
    JSON.stringify(await createSiteKey(nowMs)),
  );
  const authority = new SiteAuthority(JSON.parse(material) as SiteKeyMaterial);
  const store = new ComputerStore(db);
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const computers: { mac: string; certificatePem: string }[] = [];
  const records: StoredComputer[] = [];
  for (let number = 0; number < count; number += 1) {
    const mac = MacAddress.parse(`5254${number.toString(16).padStart(8, "0")}`);
    const id = `c-${number.toString(16).padStart(8, "0")}`;
    records.push({
      ...{ id, name: `pc${number}`, state: "approved", reason: null, uuid: null, macs: [mac] },
      ...{ serial: `S${mac.replaceAll(":", "")}`, inventory: null, address: null },
      ...{ osKeyFingerprint: fingerprintOf(publicKey), osKeyAtMs: nowMs, approvedKeyFingerprint: null },
      ...{
        waitingKeyFingerprint: null,
        deployedAtMs: null,
        lastSeenAtMs: null,
        createdAtMs: nowMs + number,
        revokedAtMs: null,
        initialAskedAtMs: null,
      },
    });
    const subject = { computerId: id, role: "os" } as const;
    computers.push({ mac, certificatePem: await authority.issueComputer(publicKey, subject, yearMs, nowMs) });
  }
  await store.put(...records);
  await db.destroy();
  const keyPem = privateKey.export({ type: "pkcs8", format: "pem" });
  return { keyPem, siteKeyFingerprint: authority.fingerprint, computers };
}

type Usage = { readonly residentBytes: number; readonly cpuMs: number };

/** proc_pid_stat(5): fields 14 and 15 are user and system time in ticks. */
function readUsage(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const residentBytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { residentBytes, cpuMs: (ticks * 1000) / ticksPerSecond };
}

class BenchServer {
  readonly #dataDir: string;
  #child: ChildProcess | null = null;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  async start(): Promise<void> {
    const args = ["--disable-warning=ExperimentalWarning", "src/server/main.ts"];
    const child = spawn(process.execPath, [...args, "--data", this.#dataDir, "--interface", "lo"], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, PORTOLAN_LOG: "error" },
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (part: Buffer) => {
        if (part.includes("ready")) {
          resolve();
        }
      });
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    });
  }

  usage(): Usage {
    return readUsage(this.#child?.pid ?? 0);
  }

  async kill(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child !== null && child.exitCode === null) {
      child.removeAllListeners("exit");
      const ended = new Promise((resolve) => {
        child.once("exit", resolve);
      });
      child.kill(signal);
      await ended;
    }
  }

  async connectedCount(): Promise<number> {
    const { counters } = await createApiClient(this.#dataDir).call("showServer");
    return counters["control.connected"] ?? 0;
  }

  /** @returns how long it took until so many were connected, and the processor time of the server in it */
  async untilConnected(
    count: number,
    what: string,
  ): Promise<{ readonly tookMs: number; readonly cpuMs: number }> {
    const startedAtMs = performance.now();
    let lastSaidMs = 0;
    for (;;) {
      const connected = await this.connectedCount();
      const tookMs = performance.now() - startedAtMs;
      if (connected >= count) {
        return { tookMs, cpuMs: this.usage().cpuMs };
      }
      if (tookMs - lastSaidMs > 5000) {
        lastSaidMs = tookMs;
        say(`  ${what}: ${connected} of ${count} after ${Math.round(tookMs / 1000)} s`);
      }
      if (tookMs > stormLimitMs) {
        throw new Error(`only ${connected} of ${count} are connected after ${stormLimitMs / 1000} s`);
      }
      await sleep(250);
    }
  }
}

function startAgents(path: string, count: number): ChildProcess[] {
  const children: ChildProcess[] = [];
  for (let first = 0; first < count; first += agentsPerProcess) {
    const size = Math.min(agentsPerProcess, count - first);
    const script = join(import.meta.dirname, "serve-bench-agents.ts");
    children.push(
      spawn(
        process.execPath,
        ["--disable-warning=ExperimentalWarning", script, path, String(first), String(size)],
        { cwd: root, stdio: ["ignore", "ignore", "inherit"] },
      ),
    );
  }
  return children;
}

function mebibytes(sizeBytes: number): string {
  return `${Math.round(sizeBytes / 2 ** 20)} MiB`;
}

async function measure(count: number, idleSeconds: number): Promise<void> {
  execFileSync("ip", ["link", "set", "lo", "up"]);
  const folder = mkdtempSync(join(tmpdir(), "portolan-bench-agents-"));
  const server = new BenchServer(join(folder, "data"));
  let agents: ChildProcess[] = [];
  try {
    say(`preparing a site with ${count} computers`);
    const path = join(folder, "agents.json");
    writeFileSync(path, JSON.stringify(await createSite(join(folder, "data"), count)));
    await server.start();
    const empty = server.usage();
    agents = startAgents(path, count);
    const first = await server.untilConnected(count, "first connection");
    await sleep(5000);
    const before = server.usage();
    await sleep(idleSeconds * 1000);
    const after = server.usage();
    const idleCores = (after.cpuMs - before.cpuMs) / (idleSeconds * 1000);
    say(`first connection of all: ${(first.tookMs / 1000).toFixed(1)} s (agents start in it)`);
    say(`server without agents:   ${mebibytes(empty.residentBytes)}`);
    say(
      `server, ${count} idle:    ${mebibytes(after.residentBytes)}, ${idleCores.toFixed(3)} cores over ${idleSeconds} s`,
    );
    await server.kill("SIGKILL");
    const killedAtMs = performance.now();
    await server.start();
    const downMs = performance.now() - killedAtMs;
    const storm = await server.untilConnected(count, "storm");
    say(
      `reconnect storm:         ${((downMs + storm.tookMs) / 1000).toFixed(1)} s after the kill, ${(storm.tookMs / 1000).toFixed(1)} s after the server was up; its processor time ${(storm.cpuMs / 1000).toFixed(1)} s`,
    );
    say(`server after the storm:  ${mebibytes(server.usage().residentBytes)}`);
    say("targets for 10000: 1024 MiB, 1 core idle, storm 60 s");
  } finally {
    for (const child of agents) {
      child.kill("SIGKILL");
    }
    await server.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}

const [countText = "10000", idleText = "60", place] = process.argv.slice(2);
if (place === "inside") {
  await measure(Number(countText), Number(idleText));
} else {
  const inside = ["--net", process.execPath, ...process.execArgv, self, countText, idleText, "inside"];
  process.exitCode = spawnSync("unshare", inside, { stdio: "inherit" }).status ?? 1;
}
