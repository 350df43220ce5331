import { writeFileSync } from "node:fs";
import { enterIsolation } from "#lab/isolation.ts";
import { SegmentNetwork } from "#lab/segment-network.ts";

/*
 * Goes into isolation as the lab does and does there what the first argument says:
 *   hold PATH       builds a room, starts a program that would run for ever, prints "ready" and stays
 *   count           sends multicast and prints the bytes that the switch counted, before and after
 *   lose PERCENT    sends multicast through a port that loses a share, and prints how many datagrams arrived
 */

const datagramCount = 2000;
const payloadBytes = 1000;

await enterIsolation();
const [what = "", argument = ""] = process.argv.slice(2);
const network = new SegmentNetwork();
await network.start();
await network.addSegment("room");
await network.connect("sender", "eth0", "room", "10.8.0.1/24");
await network.connect("receiver", "eth0", "room", "10.8.0.2/24");

const receive = `
import { createSocket } from "node:dgram";
const socket = createSocket("udp4");
let count = 0;
socket.on("message", () => { count += 1; });
socket.bind(4000, () => {
  socket.setRecvBufferSize(8 << 20);
  socket.addMembership("239.1.1.1", "10.8.0.2");
  process.stdout.write("listening\\n");
  setTimeout(() => { process.stdout.write(String(count)); process.exit(); }, 4000);
});`;
const send = `
import { createSocket } from "node:dgram";
const socket = createSocket("udp4");
socket.bind(0, "10.8.0.1", async () => {
  for (let sent = 0; sent < ${datagramCount}; sent += 1) {
    socket.send(Buffer.alloc(${payloadBytes}), 4000, "239.1.1.1");
    if (sent % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  socket.close();
});`;

function runNode(host: string, program: string): Promise<string> {
  return network.run(host, process.execPath, ["--input-type=module", "-e", program]);
}

async function measure(): Promise<number> {
  const receiving = runNode("receiver", receive);
  await new Promise((resolve) => {
    setTimeout(resolve, 1500);
  });
  await runNode("sender", send);
  return Number((await receiving).replace("listening\n", ""));
}

if (what === "hold") {
  network.spawnOn("receiver", "sleep", ["7777"], `${argument}.log`);
  writeFileSync(argument, "ready");
  await new Promise(() => {
    setInterval(() => undefined, 1 << 30);
  });
}
if (what === "count") {
  await network.countMulticast(network.portName(1));
  const before = await network.readMulticastBytes();
  const arrived = await measure();
  process.stdout.write(JSON.stringify({ before, after: await network.readMulticastBytes(), arrived }));
}
if (what === "lose") {
  await network.loseTowards([network.portName(2)], Number(argument));
  process.stdout.write(JSON.stringify({ arrived: await measure() }));
}
await network.stop();
process.exit();
