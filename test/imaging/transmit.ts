import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { decodeManifest } from "#engine/image/manifest.ts";
import type { LeftReason } from "#engine/multicast/pace.ts";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { systemClock } from "#platform/clock.ts";
import { createLinuxNetwork } from "#platform/linux/linux-network.ts";
import { ChunkStore } from "#server/chunk-store.ts";
import { openTransmission } from "#server/open-transmission.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { decodeAgentImagingMessage, toRanges } from "#wire/control/imaging-messages.ts";
import { JsonFields } from "#wire/control/json-fields.ts";
import type { TransmitPlan, TransmitReceiver, TransmitResult } from "./transmit-plan.ts";

/*
 * Sends one image from the sender's namespace to receivers in theirs, each a process, and prints what it cost. Pipes take
 * the place of control connections.
 * usage: transmit.ts PLAN.json
 */
const plan = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as TransmitPlan;
const manifest = decodeManifest(readFileSync(plan.manifestPath, "utf8"));
const network = createLinuxNetwork();
const interfaces = network.interfaces().filter(({ isLoopback }) => !isLoopback);
const chunks = new ChunkStore(plan.chunksFolder);
const left: Record<string, { reason: LeftReason; atMs: number }> = {};
const complete: TransmitResult["complete"] = {};
const wanted = [...manifest.chunks.keys()].filter((index) => manifest.chunks[index] !== null);
let copyBytes = 0;
for (const index of wanted) {
  copyBytes += await chunks.frameSize(manifest.chunks[index] ?? "");
}

/** The clock starts when the last receiver has joined: programs take long to start, and peers are timed alike. */
let startedAtMs = performance.now();
let cpuAtStart = process.cpuUsage();

const { transmission, sockets } = await openTransmission(
  {
    sessionId: 7,
    pair: { group: Ipv4Address.parse("224.2.0.2"), port: 401 },
    manifest,
    flow: findFlow(computeFlows(classicSettings, { consolePort: 8443 }), "imaging.data"),
    interfaces,
    maxMbps: plan.maxMbps,
  },
  {
    network,
    clock: systemClock,
    chunks,
    onLeft: (namespace, reason) => {
      left[namespace] = { reason, atMs: performance.now() - startedAtMs };
    },
  },
);
let socketErrorCount = 0;
for (const socket of sockets) {
  socket.onError(() => {
    socketErrorCount += 1;
  });
}

type Running = { readonly child: ChildProcess; readonly isUp: Promise<void>; readonly join: () => void };

function start({ namespace, wanted: own }: TransmitReceiver): Running {
  const script = new URL("receive-session.ts", import.meta.url).pathname;
  const nodeArgs = ["--disable-warning=ExperimentalWarning", "--experimental-ffi", script];
  const scriptArgs = [plan.manifestPath, interfaces[0]?.address ?? "", JSON.stringify(own ?? null)];
  const child = spawn("ip", ["netns", "exec", namespace, process.execPath, ...nodeArgs, ...scriptArgs], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.on("error", () => undefined);
  const isUp = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const value: unknown = JSON.parse(line);
      const fields = new JsonFields(value, "message");
      const type = fields.text("type", 64);
      if (type === "up") {
        resolve();
      } else if (type === "complete") {
        Object.assign(complete, { [namespace]: value });
      } else {
        receive(namespace, decodeAgentImagingMessage(type, fields));
      }
    });
  });
  const send = (message: object): void => void child.stdin.write(`${JSON.stringify(message)}\n`);
  const join = (): void =>
    transmission.add({ computerId: namespace, taskKey: "task", send }, own ?? toRanges(wanted));
  return { child, isUp, join };
}

function receive(namespace: string, message: Parameters<typeof transmission.receive>[1]): void {
  const isLate = transmission.sentBytes > 0;
  if (message.type === "imaging-ready" && !isLate) {
    startedAtMs = performance.now();
    cpuAtStart = process.cpuUsage();
  }
  transmission.receive(namespace, message);
}

/** Runs once so much of a copy was sent. */
function when(share: number, work: () => void): void {
  const timer = setInterval(() => {
    if (transmission.sentBytes >= share * copyBytes) {
      clearInterval(timer);
      work();
    }
  }, 5);
  timer.unref();
}

const running = plan.receivers.map((receiver) => ({ receiver, ...start(receiver) }));
await Promise.all(running.map(({ isUp }) => isUp));
for (const { receiver, child, join } of running) {
  if (receiver.joinAt === undefined) {
    join();
  } else {
    when(receiver.joinAt, join);
  }
  if (receiver.killAt !== undefined) {
    when(receiver.killAt, () => child.kill("SIGKILL"));
  }
}
await transmission.run();
const durationMs = performance.now() - startedAtMs;
const { user, system } = process.cpuUsage(cpuAtStart);
const doneCount = Object.values(left).filter(({ reason }) => reason === "done").length;
const deadlineAtMs = performance.now() + 5000;
while (Object.keys(complete).length < doneCount && performance.now() < deadlineAtMs) {
  await new Promise((resolve) => {
    setTimeout(resolve, 10);
  });
}
for (const { child } of running) {
  child.stdin?.end();
  child.kill();
}
await Promise.all(sockets.map((socket) => socket.close()));
const { sentBytes } = transmission;
const result: TransmitResult = {
  durationMs,
  cpuMs: (user + system) / 1000,
  copyBytes,
  sentBytes,
  socketErrorCount,
  left,
  complete,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit();
