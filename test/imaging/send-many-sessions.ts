import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import pino from "pino";
import { computeFlows } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { systemClock } from "#platform/clock.ts";
import { createLinuxNetwork } from "#platform/linux/linux-network.ts";
import { ChunkStore } from "#server/chunk-store.ts";
import { ImagingService } from "#server/services/imaging-service.ts";
import type { ServerMessage } from "#wire/control/message.ts";
import { decodeAgentImagingMessage } from "#wire/control/imaging-messages.ts";
import { JsonFields } from "#wire/control/json-fields.ts";

/*
 * The imaging service on the classic settings with one session for each manifest, and every receiver in all of them.
 * Pipes take the place of control connections, and nobody may fetch by unicast. Prints the sessions once when all receivers
 * have joined, and once when all sessions have ended, with what the receivers said.
 * usage: send-many-sessions.ts CHUNKS-FOLDER RECEIVER-NAMESPACES MANIFEST…
 */
const [chunksFolder = "", namespacesText = "", ...manifestPaths] = process.argv.slice(2);
const namespaces = namespacesText.split(",");
const network = createLinuxNetwork();
const interfaces = network.interfaces().filter(({ isLoopback }) => !isLoopback);
const [nic] = interfaces;
if (nic === undefined) {
  throw new Error("this host has no interface");
}
const settings = { ...classicSettings, "imaging.maxMbps": 40 };
const flows = computeFlows(settings, { consolePort: 8443 });

/** Keyed by computer id: each namespace is one computer in each session. */
const links = new Map<
  string,
  {
    computerId: string;
    serverAddress: typeof nic.address;
    interfaceName: string;
    send: (message: ServerMessage) => boolean;
  }
>();
const complete: Record<string, unknown> = {};
const failed: string[] = [];

const service = new ImagingService(
  { flows: () => flows, interfaces },
  {
    network,
    clock: systemClock,
    log: pino({ level: "silent" }),
    chunks: new ChunkStore(chunksFolder),
    transfers: {
      issue: async () => ({ ticket: "", port: 1, address: nic.address }) as never,
      revoke: () => undefined,
    },
    settings: () => settings,
    findLink: (computerId) => links.get(computerId) ?? null,
    readManifest: async (contentId) => readFileSync(contentId, "utf8"),
    completeContent: () => Promise.resolve(),
    onJoined: () => undefined,
    onStarted: () => undefined,
    onFailed: (_, __, reason) => failed.push(reason),
  },
);

const idOf = (namespace: string, part: number): string => `${namespace}/${part}`;
let joinedCount = 0;

async function receive(namespace: string, line: string): Promise<void> {
  const { part, message } = JSON.parse(line) as { part: number; message: { type: string } };
  const computerId = idOf(namespace, part);
  if (message.type === "complete") {
    complete[computerId] = message;
    await service.leave(`session-${part}`, computerId);
    return;
  }
  const link = links.get(computerId);
  if (link === undefined) {
    throw new Error(`${computerId} is not known`);
  }
  await service.receive(link, decodeAgentImagingMessage(message.type, new JsonFields(message, "message")));
  joinedCount += message.type === "imaging-join" ? 1 : 0;
  if (message.type === "imaging-join" && joinedCount === namespaces.length * manifestPaths.length) {
    print();
  }
}

function print(): void {
  process.stdout.write(`${JSON.stringify({ sessions: service.list().toReversed(), complete, failed })}\n`);
}

const children: ChildProcess[] = [];
for (const namespace of namespaces) {
  const script = new URL("receive-many-sessions.ts", import.meta.url).pathname;
  const args = ["--disable-warning=ExperimentalWarning", "--experimental-ffi", script, nic.address];
  const child = spawn("ip", ["netns", "exec", namespace, process.execPath, ...args, ...manifestPaths], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  for (const [part, path] of manifestPaths.entries()) {
    const computerId = idOf(namespace, part);
    const send = (message: ServerMessage): boolean =>
      child.stdin.write(`${JSON.stringify({ part, message })}\n`);
    links.set(computerId, { computerId, serverAddress: nic.address, interfaceName: nic.name, send });
    await service.join({
      sessionKey: `session-${part}`,
      computerId,
      taskKey: "task",
      contentId: path,
      toTask: () => ({ type: "none" }) as never,
      isResumed: false,
      expected: namespaces.length,
      unicastReason: null,
    });
  }
  createInterface({ input: child.stdout }).on("line", (line) => {
    receive(namespace, line).catch((error: unknown) => {
      throw error;
    });
  });
}
while (Object.keys(complete).length < links.size && failed.length === 0) {
  await new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
}
// Sockets close after the last word of a session.
while (service.list().some(({ state }) => state !== "ended")) {
  await new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
}
print();
for (const child of children) {
  child.kill();
}
process.exit();
