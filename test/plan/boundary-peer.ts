import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";

/**
 * Plain sockets on both sides of a router, one of each kind that the plan's rules are for.
 *
 *   boundary-peer.ts server ADDRESS RELAY-ADDRESS DISCOVERY-GROUP IMAGING-GROUP TCP-PORT…
 *   boundary-peer.ts computer ADDRESS SERVER-ADDRESS RELAY-ADDRESS DISCOVERY-GROUP IMAGING-GROUP TCP-PORT…
 *
 * The computer prints one JSON object: what it tried, and whether that came through.
 */
const waitMs = 1200;

async function udp(address: string | undefined, port: number): Promise<Socket> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  await new Promise<void>((resolve) => {
    socket.bind({ ...(address === undefined ? {} : { address }), port, exclusive: false }, resolve);
  });
  return socket;
}

async function serve([
  address = "",
  relay = "",
  discovery = "",
  imaging = "",
  ...tcpPorts
]: readonly string[]) {
  for (const port of tcpPorts.map(Number)) {
    const listener = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.end("here");
    }).listen({ host: address, port });
    await once(listener, "listening");
  }
  const bootServer = await udp(address, 4011);
  bootServer.on("message", (_bytes, from) => bootServer.send("4011", from.port, from.address));
  const dhcp = await udp(address, 67);
  dhcp.on("message", () => dhcp.send("offer", 67, relay));
  const tftp = await udp(address, 69);
  const tftpData = await udp(address, 0);
  tftp.on("message", (_bytes, from) => {
    tftp.send("same port", from.port, from.address);
    tftpData.send("new port", from.port, from.address);
  });
  const search = await udp("0.0.0.0", 402);
  search.addMembership(discovery, address);
  search.on("message", (_bytes, from) => search.send("me", from.port, from.address));
  const sender = await udp(address, 0);
  sender.setMulticastTTL(8);
  sender.setMulticastInterface(address);
  setInterval(() => sender.send("block", 401, imaging), 100);
  process.stdout.write("serving\n");
}

function canConnect(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
    setTimeout(() => end(false), waitMs);
  });
}

/** What arrives on `listening` after `ask`; no datagram at all is an answer too. */
async function hears(listening: Socket, ask: () => void): Promise<ReadonlySet<string>> {
  const heard = new Set<string>();
  listening.on("message", (bytes) => heard.add(bytes.toString("utf8")));
  ask();
  await new Promise((resolve) => {
    setTimeout(resolve, waitMs);
  });
  listening.close();
  return heard;
}

async function knock([
  address = "",
  server = "",
  relay = "",
  discovery = "",
  imaging = "",
  ...tcpPorts
]: readonly string[]) {
  const fromRelay = await udp(address, 67);
  const atRelay = await udp(relay, 67);
  const firmware = await udp(address, 68);
  const tftp = await udp(address, 0);
  const search = await udp(address, 0);
  search.setMulticastTTL(8);
  search.setMulticastInterface(address);
  const receiver = await udp(imaging, 401);
  receiver.addMembership(imaging, address);
  const [offer, boot, files, servers, blocks, ...tcp] = await Promise.all([
    hears(atRelay, () => fromRelay.send("discover", 67, server)),
    hears(firmware, () => firmware.send("request", 4011, server)),
    hears(tftp, () => tftp.send("read", 69, server)),
    hears(search, () => search.send("who", 402, discovery)),
    hears(receiver, () => undefined),
    ...tcpPorts.map((port) => canConnect(server, Number(port))),
  ]);
  fromRelay.close();
  const found = {
    dhcp: offer.has("offer"),
    bootServer: boot.has("4011"),
    tftp: files.has("same port"),
    tftpData: files.has("new port"),
    discovery: servers.has("me"),
    imaging: blocks.has("block"),
    ...Object.fromEntries(tcpPorts.map((port, index) => [`tcp${port}`, tcp[index]])),
  };
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

const [role, ...given] = process.argv.slice(2);
await (role === "server" ? serve(given) : knock(given));
