import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { zstdDecompressSync } from "node:zlib";
import { MulticastSession } from "#agent/imaging/multicast-session.ts";
import type { TaskContext } from "#agent/task.ts";
import { decodeManifest } from "#engine/image/manifest.ts";
import { createLinuxNetwork } from "#platform/linux/linux-network.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { fromRanges, type Ranges, type ServerImagingMessage } from "#wire/control/imaging-messages.ts";

/*
 * One receiver in a namespace, with lines of JSON for its control connection.
 * usage: receive-session.ts MANIFEST SERVER-ADDRESS RANGES|null
 */
const [manifestPath = "", serverAddress = "", rangesText = "null"] = process.argv.slice(2);
const manifest = decodeManifest(readFileSync(manifestPath, "utf8"));
const ranges = JSON.parse(rangesText) as Ranges | null;
const chunkCount = manifest.chunks.length;
const wanted = [...fromRanges(ranges ?? [[0, chunkCount]], chunkCount)].filter(
  (index) => manifest.chunks[index] !== null,
);
const written = new Set<number>();

function send(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Decompresses and checks as a restore does, and leaves the disk out. */
async function write(index: number, frame: Uint8Array): Promise<boolean> {
  const isGenuine =
    hash("sha256", zstdDecompressSync(frame, { chunkSize: manifest.chunkSizeBytes })) ===
    manifest.chunks[index];
  if (isGenuine) {
    written.add(index);
  }
  return isGenuine;
}

const context: TaskContext = {
  key: "task",
  network: createLinuxNetwork(),
  serverAddress: () => Ipv4Address.parse(serverAddress),
  siteKeyFingerprint: "",
  identity: () => ({ key: "", cert: "" }),
  send,
  onMessage: () => undefined,
  disks: () => [],
  report: () => undefined,
  say: () => undefined,
  signal: new AbortController().signal,
};

let cpuAtStart = process.cpuUsage();
let session: MulticastSession | null = null;

function onEnd(error: Error | null): void {
  const isComplete = error === null && written.size === wanted.length;
  const { packetCount, refusedCount } = session ?? { packetCount: 0, refusedCount: 0 };
  const { user, system } = process.cpuUsage(cpuAtStart);
  send({ type: "complete", isComplete, packetCount, refusedCount, cpuMs: (user + system) / 1000 });
}

async function receive(message: ServerImagingMessage): Promise<void> {
  if (message.type === "imaging-session") {
    session = await MulticastSession.join(message, context, wanted, { write, onEnd });
    cpuAtStart = process.cpuUsage();
  } else if (message.type === "imaging-round-end" && session !== null) {
    await session.answerRound(message);
  }
}

// Not merely ended by the signal: a profile is written at a proper exit.
process.on("SIGTERM", () => process.exit());
send({ type: "up" });
for await (const line of createInterface({ input: process.stdin })) {
  await receive(JSON.parse(line) as ServerImagingMessage);
}
