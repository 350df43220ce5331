import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowId } from "#plan/flow.ts";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings, type Settings } from "#plan/settings.ts";
import { type GrantRequest, grantSocket, type SocketGrant } from "#plan/socket-grant.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { decodeEthernetFrame } from "#wire/ethernet/ethernet-frame.ts";
import { decodeIpv4Packet } from "#wire/ethernet/ipv4-packet.ts";
import { decodeUdpDatagram } from "#wire/ethernet/udp-datagram.ts";
import type { Datagram, Network, UdpOptions, UdpSocket } from "../network.ts";
import type { LinkModel } from "./link-model.ts";
import type { Attachment, SimulatedComputer } from "./simulated-computer.ts";
import { type TraceEvent, traceFrame } from "./simulated-datagram.ts";
import { SimulatedNetwork } from "./simulated-network.ts";
import { VirtualClock } from "./virtual-clock.ts";

const address = (text: string): Ipv4Address => Ipv4Address.parse(text);
const group = address("224.2.0.2");
const otherGroup = address("224.2.0.3");

function grant(id: FlowId, request: GrantRequest, settings: Settings = classicSettings): SocketGrant {
  return grantSocket(findFlow(computeFlows(settings, { consolePort: 8443 }), id), request);
}

type Opened = { readonly socket: UdpSocket; readonly received: Datagram[]; readonly errors: Error[] };

async function open(network: Network, socketGrant: SocketGrant, options?: UdpOptions): Promise<Opened> {
  const socket = await network.openUdp(socketGrant, options);
  const opened: Opened = { socket, received: [], errors: [] };
  socket.onDatagram((datagram) => opened.received.push(datagram));
  socket.onError((error) => opened.errors.push(error));
  return opened;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const texts = (opened: Opened): string[] => opened.received.map((one) => Buffer.from(one.bytes).toString());

const dhcpOn = (interfaceName: string): SocketGrant =>
  grant("boot.dhcp", { role: "server", side: "listen", interfaceName, localPort: 67 });
const firmware = (): SocketGrant =>
  grant("boot.dhcp", { role: "firmware", side: "connect", interfaceName: "eth0", localPort: 68 });
const imagingSender = (settings: Settings = classicSettings): SocketGrant =>
  grant(
    "imaging.data",
    { role: "server", side: "connect", interfaceName: "eth0", groups: [group, otherGroup] },
    settings,
  );
const imagingReceiver = (to: Ipv4Address): SocketGrant =>
  grant("imaging.data", {
    role: "preboot",
    side: "listen",
    interfaceName: "eth0",
    localAddress: to,
    localPort: 401,
    groups: [to],
  });

/** One server on two segments, one computer on each: the same shape as the test with real sockets. */
class TwoSegments {
  readonly clock = new VirtualClock();
  readonly trace: TraceEvent[] = [];
  readonly network: SimulatedNetwork;
  readonly server: SimulatedComputer;
  readonly redPc: SimulatedComputer;
  readonly bluePc: SimulatedComputer;
  readonly redLink: Attachment;

  constructor(seed = 1, redLink: Partial<LinkModel> = {}, kind: "computer" | "router" = "computer") {
    this.network = new SimulatedNetwork({
      clock: this.clock,
      seed,
      onTrace: (event) => this.trace.push(event),
    });
    this.server = this.network[kind]("server");
    this.redPc = this.network.computer("red-pc");
    this.bluePc = this.network.computer("blue-pc");
    const link = { interfaceName: "eth0", link: redLink };
    this.network.attach(this.server, "red", { interfaceName: "eth0", address: "192.168.0.1/24" });
    this.redLink = this.network.attach(this.redPc, "red", { ...link, address: "192.168.0.9/24" });
    this.network.attach(this.server, "blue", { interfaceName: "eth1", address: "11.11.11.1/24" });
    this.network.attach(this.bluePc, "blue", { interfaceName: "eth0", address: "11.11.11.9/24" });
  }
}

/** Sends numbered datagrams, one each `gapMs`, from the server to a group; returns the numbers received. */
async function stream(net: TwoSegments, count: number, gapMs: number, sizeBytes = 100): Promise<number[]> {
  const sender = await open(net.server, imagingSender());
  const receiver = await open(net.redPc, imagingReceiver(group));
  const payload = Buffer.alloc(sizeBytes);
  for (let index = 0; index < count; index += 1) {
    net.clock.after(index * gapMs, () => {
      payload.writeUInt32BE(index);
      sender.socket.send(payload, { address: group, port: 401 });
    });
  }
  await net.clock.runUntilIdle();
  return receiver.received.map((one) => Buffer.from(one.bytes).readUInt32BE(0));
}

test("simulated network: port 67 on two interfaces, each hears only its own broadcasts", async () => {
  const net = new TwoSegments();
  const red = await open(net.server, dhcpOn("eth0"));
  const blue = await open(net.server, dhcpOn("eth1"), { broadcast: true });
  const redPc = await open(net.redPc, firmware(), { broadcast: true });
  const bluePc = await open(net.bluePc, firmware(), { broadcast: true });
  redPc.socket.send(bytes("from red"), { address: Ipv4Address.broadcast, port: 67 });
  bluePc.socket.send(bytes("from blue"), { address: address("11.11.11.255"), port: 67 });
  assert.deepEqual(texts(red), [], "nothing arrives inside send");
  await net.clock.advance(1);
  assert.deepEqual([texts(red), texts(blue)], [["from red"], ["from blue"]]);
  assert.equal(blue.received[0]?.interfaceName, "eth1");
  assert.equal(blue.received[0]?.sourcePort, 68);

  blue.socket.send(bytes("answer"), { address: Ipv4Address.broadcast, port: 68 });
  await net.clock.advance(1);
  assert.equal(bluePc.received[0]?.sourceAddress, "11.11.11.1");
  assert.deepEqual(texts(redPc), []);
  red.socket.send(bytes("no"), { address: Ipv4Address.broadcast, port: 68 });
  assert.match(red.errors[0]?.message ?? "", /EACCES/, "broadcast only where it was asked for");
});

test("simulated network: firmware without an address hears what is sent to its hardware address", async () => {
  const net = new TwoSegments();
  const rom = net.network.computer("rom");
  const { nic } = net.network.attach(rom, "red", { interfaceName: "eth0", address: "0.0.0.0/0" });
  const server = await open(net.server, dhcpOn("eth0"));
  const romSocket = await open(rom, firmware(), { broadcast: true });
  romSocket.socket.send(bytes("DISCOVER"), { address: Ipv4Address.broadcast, port: 67 });
  await net.clock.advance(1);
  assert.equal(server.received[0]?.sourceAddress, "0.0.0.0");
  const offered = { address: address("192.168.0.50"), port: 68 };
  server.socket.send(bytes("by ARP"), offered);
  server.socket.sendToHardware(bytes("by MAC"), { ...offered, mac: nic.mac });
  await net.clock.advance(1);
  assert.deepEqual(texts(romSocket), ["by MAC"]);
});

test("simulated network: two groups on one port do not hear each other", async () => {
  const net = new TwoSegments();
  const one = await open(net.redPc, imagingReceiver(group));
  const other = await open(net.redPc, imagingReceiver(otherGroup));
  const sender = await open(net.server, imagingSender());
  sender.socket.send(bytes("one"), { address: group, port: 401 });
  sender.socket.send(bytes("other"), { address: otherGroup, port: 401 });
  sender.socket.send(bytes("stray"), { address: address("239.1.1.1"), port: 401 });
  await net.clock.advance(1);
  assert.deepEqual([texts(one), texts(other)], [["one"], ["other"]]);
  assert.match(sender.errors[0]?.message ?? "", /may not send to group 239\.1\.1\.1/);
});

test("simulated network: groups cross as many routers as their TTL allows, unicast is routed, broadcasts stay", async () => {
  for (const [ttl, expected] of [
    [1, []],
    [2, ["group"]],
  ] as const) {
    const net = new TwoSegments(1, {}, "router");
    const receiver = await open(net.bluePc, imagingReceiver(group));
    const listener = await open(
      net.bluePc,
      grant("boot.tftp", { role: "server", side: "listen", interfaceName: "eth0", localPort: 69 }),
    );
    const settings = { ...classicSettings, "imaging.ttl": ttl };
    const sender = await open(net.redPc, imagingSender(settings), { broadcast: true });
    sender.socket.send(bytes("group"), { address: group, port: 401 });
    sender.socket.send(bytes("unicast"), { address: address("11.11.11.9"), port: 69 });
    sender.socket.send(bytes("broadcast"), { address: Ipv4Address.broadcast, port: 69 });
    sender.socket.send(bytes("directed"), { address: address("11.11.11.255"), port: 69 });
    await net.clock.advance(10);
    assert.deepEqual(texts(receiver), expected, `TTL ${ttl}`);
    assert.deepEqual(texts(listener), ["unicast"]);
  }
});

test("simulated network: a computer between two segments that is no router forwards nothing", async () => {
  const net = new TwoSegments();
  const receiver = await open(net.bluePc, imagingReceiver(group));
  const sender = await open(net.redPc, imagingSender());
  sender.socket.send(bytes("group"), { address: group, port: 401 });
  await net.clock.advance(10);
  assert.deepEqual(receiver.received, []);
});

const faults: Partial<LinkModel> = { lossRate: 0.1, duplicateRate: 0.05, jitterMs: 3 };

test("simulated network: one seed is one run, to the instant; another seed is another", async () => {
  const run = async (seed: number): Promise<string[]> => {
    const net = new TwoSegments(seed, faults);
    await stream(net, 500, 1);
    return net.trace.map(({ type, atMs, computer }) => `${atMs} ${type} ${computer}`);
  };
  const [first, again, other] = await Promise.all([run(7), run(7), run(8)]);
  assert.deepEqual(again, first);
  assert.notDeepEqual(other, first);
});

test("simulated network: loss, duplication and reordering are as frequent as asked", async () => {
  const count = 10_000;
  const lossy = await stream(new TwoSegments(3, { lossRate: 0.1 }), count, 0.2);
  assert.ok(Math.abs(lossy.length / count - 0.9) < 0.01, `${lossy.length} of ${count} arrived`);
  assert.deepEqual(
    lossy,
    lossy.toSorted((a, b) => a - b),
    "loss alone does not reorder",
  );

  const doubled = await stream(new TwoSegments(4, { duplicateRate: 0.05 }), count, 0.2);
  assert.ok(Math.abs(doubled.length / count - 1.05) < 0.01, `${doubled.length} of ${count} arrived`);
  assert.equal(new Set(doubled).size, count);

  const shuffled = await stream(new TwoSegments(5, { reorderRate: 0.02, reorderDelayMs: 1 }), count, 0.2);
  const late = shuffled.filter((number, index) => number < (shuffled[index - 1] ?? 0));
  assert.equal(shuffled.length, count);
  assert.ok(Math.abs(late.length / count - 0.02) < 0.005, `${late.length} of ${count} were overtaken`);
});

test("simulated network: a slow link takes its time, and its full queue loses the tail", async () => {
  const wireBits = (1400 + 66) * 8;
  const net = new TwoSegments(1, { bitsPerSecond: 10_000_000, queueBytesMax: 10_000_000, delayMs: 0 });
  const all = await stream(net, 1000, 0, 1400);
  assert.equal(all.length, 1000);
  assert.ok(Math.abs(net.clock.monotonicMs() - (1000 * wireBits) / 10_000) < 0.001);

  const short = new TwoSegments(1, { bitsPerSecond: 10_000_000, queueBytesMax: 146_600, delayMs: 0 });
  const kept = await stream(short, 1000, 0, 1400);
  assert.deepEqual(
    kept,
    Array.from({ length: 101 }, (_, index) => index),
  );
  assert.equal(short.trace.filter((event) => event.type === "lost").length, 899);
});

test("simulated network: a cut cable and a computer that lost power hear nothing", async () => {
  const net = new TwoSegments();
  const receiver = await open(net.redPc, imagingReceiver(group));
  const sender = await open(net.server, imagingSender());
  const send = async (text: string): Promise<void> => {
    sender.socket.send(bytes(text), { address: group, port: 401 });
    await net.clock.advance(1);
  };
  await send("before");
  net.redLink.link.model = { ...net.redLink.link.model, isCut: true };
  await send("cut");
  net.redLink.link.model = { ...net.redLink.link.model, isCut: false };
  await send("mended");
  net.redPc.crash();
  await send("crashed");
  assert.deepEqual(texts(receiver), ["before", "mended"]);
  assert.deepEqual(net.redPc.openSockets(), []);
});

test("simulated network: sockets are refused as the kernel refuses them", async () => {
  const net = new TwoSegments();
  await open(net.server, dhcpOn("eth0"));
  await open(net.server, dhcpOn("eth1"));
  await assert.rejects(open(net.server, dhcpOn("eth0")), { code: "port-in-use" });
  await assert.rejects(open(net.server, dhcpOn("eth7")), {
    code: "no-such-interface",
    message: /there is no interface eth7; usable here: lo, eth0, eth1/,
  });
  const foreign = { ...dhcpOn("eth0"), localAddress: address("10.0.0.1"), localPort: 4011 };
  await assert.rejects(open(net.server, foreign), { code: "address-not-available" });
  assert.deepEqual(
    net.server.openSockets().map((one) => `${one.interfaceName} ${one.localPort}`),
    ["eth0 67", "eth1 67"],
  );
});

test("simulated network: a trace is real frames, with addresses, TTL and sound checksums", async () => {
  const net = new TwoSegments();
  await stream(net, 1, 0);
  const [sent] = net.trace;
  assert.ok(sent !== undefined);
  const packet = decodeIpv4Packet(decodeEthernetFrame(traceFrame(sent)).payload);
  const datagram = decodeUdpDatagram(packet.payload, packet);
  assert.equal(packet.source, "192.168.0.1");
  assert.equal(packet.destination, "224.2.0.2");
  assert.equal(packet.ttl, 16);
  assert.equal(packet.isChecksumRight, true);
  assert.equal(datagram.checksum, "right");
  assert.equal(datagram.destinationPort, 401);
  assert.equal(datagram.payload.byteLength, 100);
});
