import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { decodeManifest } from "#engine/image/manifest.ts";
import { defaultSenderLimits } from "#engine/multicast/sender.ts";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import { systemClock } from "#platform/clock.ts";
import { createLinuxNetwork } from "#platform/linux/linux-network.ts";
import { ChunkStore } from "#server/chunk-store.ts";
import { Transmission } from "#server/imaging-session.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { AgentImagingMessage } from "#wire/control/imaging-messages.ts";
import { JsonFields } from "#wire/control/json-fields.ts";
import { decodeAgentImagingMessage, toRanges } from "#wire/control/imaging-messages.ts";

/*
 * Sends one image from the sender's namespace to receivers in theirs and prints what it cost.
 * usage: transmit.ts CHUNKS-FOLDER MANIFEST RECEIVER-NAMESPACE…
 */
const [chunksFolder = "", manifestPath = "", ...namespaces] = process.argv.slice(2);
const manifest = decodeManifest(readFileSync(manifestPath, "utf8"));
const network = createLinuxNetwork();
const nic = network.interfaces().find(({ isLoopback }) => !isLoopback);
if (nic === undefined) {
  throw new Error("the sender's namespace has no interface");
}
const group = Ipv4Address.parse("224.2.0.2");
const port = 401;
const grant = grantSocket(findFlow(computeFlows(classicSettings, { consolePort: 8443 }), "imaging.data"), {
  role: "server",
  side: "connect",
  interfaceName: nic.name,
  localAddress: nic.address,
  groups: [group],
});
const socket = await network.openUdp(grant, { sendBufferBytes: 4 << 20 });
let socketErrorCount = 0;
socket.onError(() => {
  socketErrorCount += 1;
});
const left: Record<string, string> = {};
const transmission = new Transmission(
  {
    sessionId: 7,
    pair: { group, port },
    manifest,
    blockSizeBytes: Math.min(1500, nic.mtuBytes) - 52,
    limits: { ...defaultSenderLimits, parityCountMax: 64 },
  },
  {
    clock: systemClock,
    chunks: new ChunkStore(chunksFolder),
    sockets: [socket],
    onLeft: (computerId, reason) => {
      left[computerId] = reason;
    },
  },
);
const wanted = toRanges([...manifest.chunks.keys()].filter((index) => manifest.chunks[index] !== null));
const complete: Record<string, unknown> = {};
const children = namespaces.map((namespace) => {
  const script = new URL("receive-session.ts", import.meta.url).pathname;
  const child = spawn(
    "ip",
    [
      "netns",
      "exec",
      namespace,
      process.execPath,
      "--disable-warning=ExperimentalWarning",
      script,
      manifestPath,
      nic.address,
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  createInterface({ input: child.stdout }).on("line", (line) => {
    const value: unknown = JSON.parse(line);
    const fields = new JsonFields(value, "message");
    const type = fields.text("type", 64);
    if (type === "complete") {
      complete[namespace] = value;
    } else {
      const message: AgentImagingMessage = decodeAgentImagingMessage(type, fields);
      if (message.type === "imaging-ready") {
        readyAtMs = performance.now();
        cpuAtStart = process.cpuUsage();
      }
      transmission.receive(namespace, message);
    }
  });
  const member = {
    computerId: namespace,
    taskKey: "task",
    send: (message: object) => {
      child.stdin.write(`${JSON.stringify(message)}\n`);
    },
  };
  transmission.add(member, wanted);
  return child;
});
/** The clock starts when the last receiver has joined: programs take long to start here, and peers are timed alike. */
let readyAtMs = performance.now();
let cpuAtStart = process.cpuUsage();
await transmission.run();
const durationMs = performance.now() - readyAtMs;
const { user, system } = process.cpuUsage(cpuAtStart);
const cpuMs = (user + system) / 1000;
const deadlineAtMs = performance.now() + 2000;
while (Object.keys(complete).length < namespaces.length && performance.now() < deadlineAtMs) {
  await new Promise((resolve) => {
    setTimeout(resolve, 10);
  });
}
for (const child of children) {
  child.stdin.end();
  child.kill();
}
await socket.close();
const { sentBytes } = transmission;
process.stdout.write(
  `${JSON.stringify({ durationMs, cpuMs, sentBytes, socketErrorCount, left, complete })}\n`,
);
process.exit();
