import assert from "node:assert/strict";
import process from "node:process";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { createDgramNetwork } from "#platform/dgram/dgram-network.ts";
import { createLinuxNetwork } from "#platform/linux/linux-network.ts";
import type { Network, UdpSocket } from "#platform/network.ts";

/**
 * Below the ports that the kernel gives to anybody's sockets, and of this process alone: two runs of this file on one
 * machine would hear each other.
 */
const firstPort = 28_000 + (process.pid % 400) * 10;
const group = Ipv4Address.parse("224.2.0.2");
const datagramSizeBytes = 1472;
/** Several messages of 44 joined datagrams, and a last datagram that is shorter. */
const batch = Uint8Array.from({ length: datagramSizeBytes * 150 + 700 }, (_, index) => (index * 31) >> 5);

type Pair = {
  readonly sender: UdpSocket;
  readonly receiver: UdpSocket;
  readonly parts: Uint8Array[];
  readonly errors: Error[];
};

async function openPair(t: TestContext, network: Network, port: number, joined: boolean): Promise<Pair> {
  const flows = computeFlows({ ...classicSettings, "imaging.ports": [port] }, { consolePort: 8443 });
  const flow = findFlow(flows, "imaging.data");
  const receiver = await network.openUdp(
    grantSocket(flow, {
      role: "preboot",
      side: "listen",
      interfaceName: "lo",
      localAddress: group,
      localPort: port,
      groups: [group],
    }),
    { joined, receiveBufferBytes: 4 << 20 },
  );
  t.after(() => receiver.close());
  const parts: Uint8Array[] = [];
  receiver.onDatagram(({ bytes }) => parts.push(Uint8Array.from(bytes)));
  const sender = await network.openUdp(
    grantSocket(flow, { role: "server", side: "connect", interfaceName: "lo", groups: [group] }),
  );
  t.after(() => sender.close());
  const errors: Error[] = [];
  sender.onError((error) => errors.push(error));
  return { sender, receiver, parts, errors };
}

/** Sends all of it, as one does who is told that there is no room. */
async function sendAll(sender: UdpSocket, port: number): Promise<void> {
  let takenBytes = 0;
  while (takenBytes < batch.byteLength) {
    const nowTakenBytes = sender.sendBatch(batch.subarray(takenBytes), datagramSizeBytes, {
      address: group,
      port,
    });
    takenBytes += nowTakenBytes;
    assert.ok(nowTakenBytes % datagramSizeBytes === 0 || takenBytes === batch.byteLength);
    await sleep(1);
  }
}

async function arrived(parts: readonly Uint8Array[]): Promise<Buffer> {
  for (let round = 0; round < 6000; round += 1) {
    if (parts.reduce((sum, part) => sum + part.byteLength, 0) >= batch.byteLength) {
      break;
    }
    await sleep(5);
  }
  return Buffer.concat(parts);
}

const networks = [
  ["plain sockets", () => createDgramNetwork("Plain sockets, because this is their test."), firstPort],
  ["native sockets", createLinuxNetwork, firstPort + 1],
] as const;

for (const [name, create, port] of networks) {
  test(`batch on ${name}: every datagram arrives by itself, in order, the last one shorter`, async (t) => {
    if (name === "native sockets" && process.platform !== "linux") {
      t.skip("needs Linux");
      return;
    }
    const { sender, parts, errors } = await openPair(t, create(), port, false);
    await sendAll(sender, port);
    assert.equal(Buffer.compare(await arrived(parts), batch), 0);
    assert.deepEqual(
      parts.map((part) => part.byteLength),
      [...Array<number>(150).fill(datagramSizeBytes), 700],
    );
    assert.deepEqual(errors, []);
  });

  test(`batch on ${name}: to a group that was not granted it is an error, and counts as taken`, async (t) => {
    const { sender, errors } = await openPair(t, create(), port + 2, false);
    const stranger = { address: Ipv4Address.parse("224.2.0.9"), port };
    assert.equal(sender.sendBatch(batch.subarray(0, 100), 100, stranger), 100);
    assert.match(errors[0]?.message ?? "", /may not send to group 224\.2\.0\.9/);
  });
}

test("batch on native sockets: a receiver that asked for it gets datagrams joined, cut at whole ones", async (t) => {
  if (process.platform !== "linux") {
    t.skip("needs Linux");
    return;
  }
  const { sender, parts } = await openPair(t, createLinuxNetwork(), firstPort + 4, true);
  await sendAll(sender, firstPort + 4);
  assert.equal(Buffer.compare(await arrived(parts), batch), 0);
  t.diagnostic(`151 datagrams in ${parts.length} parts`);
  const all = parts.slice(0, -1);
  assert.ok(all.every((part) => part.byteLength % datagramSizeBytes === 0));
});

test("many datagrams that wait are read together: each whole, in order, from the port that sent it", async (t) => {
  if (process.platform !== "linux") {
    t.skip("needs Linux");
    return;
  }
  const port = firstPort + 6;
  const network = createLinuxNetwork();
  const first = await openPair(t, network, port, true);
  const other = await openPair(t, network, port + 1, false);
  const seen: { readonly text: string; readonly sourcePort: number; readonly memory: ArrayBufferLike }[] = [];
  first.receiver.onDatagram(({ bytes, sourcePort }) =>
    seen.push({ text: Buffer.from(bytes).toString(), sourcePort, memory: bytes.buffer }),
  );
  const expected = Array.from({ length: 100 }, (_, index) => {
    const sender = index % 3 === 0 ? first.sender : other.sender;
    // Each of another size, the empty one among them, so that none can be joined with the next.
    return { text: "x".repeat((index * 37) % 1400), sender };
  });
  for (const { text, sender } of expected) {
    sender.send(Buffer.from(text), { address: group, port });
  }
  for (let round = 0; round < 6000 && seen.length < expected.length; round += 1) {
    await sleep(5);
  }
  assert.deepEqual(
    seen.map(({ text, sourcePort }) => ({ text, sourcePort })),
    expected.map(({ text, sender }) => ({ text, sourcePort: sender.localPort })),
  );
  // The event loop brings one of 33 with memory of its own; the others share theirs.
  const shared = seen.filter(({ memory }) => seen.filter((one) => one.memory === memory).length > 1);
  assert.ok(shared.length >= 90, `${shared.length} of 100 read together`);
});
