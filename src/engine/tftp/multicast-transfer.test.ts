import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { type MulticastOutput, type MulticastTerms, MulticastTransfer } from "./multicast-transfer.ts";

const terms: MulticastTerms = {
  blockSizeBytes: 512,
  windowBlockCount: 1,
  retransmitMs: 1000,
  acknowledged: new Map(),
  group: Ipv4Address.parse("239.1.1.1"),
  port: 1758,
  protocol: "rfc2090",
};
const file = Uint8Array.from({ length: 512 * 9 + 100 }, (_, index) => index & 255);
const blockCount = 10;

type Listener = { readonly blocks: Map<number, Uint8Array>; isMaster: boolean; isAlive: boolean };

/** Clients as RFC 2090 describes them: all listen, the master acknowledges the block before its first gap. */
function simulate(options: {
  readonly clients: readonly string[];
  readonly loses: (client: string, block: number, packetIndex: number) => boolean;
  readonly dies?: string;
  readonly joinsAtPacket?: Readonly<Record<string, number>>;
}): { clients: Map<string, Listener>; sentBlockCount: number } {
  const transfer = new MulticastTransfer(file, terms);
  const clients = new Map<string, Listener>();
  let nowMs = 0;
  let packetIndex = 0;
  const queue: MulticastOutput[] = [];
  const join = (name: string): void => {
    clients.set(name, { blocks: new Map(), isMaster: false, isAlive: true });
    queue.push(...transfer.join(name, new Map([["blksize", "512"]]), nowMs));
  };
  const acknowledge = (name: string, listener: Listener): void => {
    let last = 0;
    while (listener.blocks.has(last + 1)) {
      last += 1;
    }
    if (listener.isAlive) {
      queue.push(...transfer.receive(name, { type: "ack", blockNumber: last }, nowMs));
    }
  };
  for (const name of options.clients.filter((client) => options.joinsAtPacket?.[client] === undefined)) {
    join(name);
  }
  let wakeAtMs = 0;
  for (let step = 0; step < 10_000; step += 1) {
    const output = queue.shift();
    if (output === undefined) {
      nowMs = wakeAtMs;
      queue.push(...transfer.wake(nowMs));
      assert.ok(queue.length > 0, "the transfer hangs");
      continue;
    }
    if (output.type === "finish") {
      return { clients, sentBlockCount: output.sentBlockCount };
    }
    if (output.type === "wake") {
      wakeAtMs = output.atMs;
    } else if (output.type === "send-to-client" && output.packet.type === "option-ack") {
      const listener = clients.get(output.clientKey);
      assert.ok(listener);
      listener.isMaster = output.packet.options.get("multicast")?.endsWith(",1") ?? false;
      if (listener.isMaster) {
        acknowledge(output.clientKey, listener);
      }
    } else if (output.type === "send-to-group" && output.packet.type === "data") {
      packetIndex += 1;
      for (const [name, atPacket] of Object.entries(options.joinsAtPacket ?? {})) {
        if (atPacket === packetIndex) {
          join(name);
        }
      }
      for (const [name, listener] of clients) {
        listener.isAlive = !(options.dies === name && packetIndex > 4);
        if (listener.isAlive && !options.loses(name, output.packet.blockNumber, packetIndex)) {
          listener.blocks.set(output.packet.blockNumber, output.packet.data);
        }
        if (listener.isMaster) {
          acknowledge(name, listener);
        }
      }
    }
  }
  throw new Error("the transfer did not end");
}

function content(listener: Listener | undefined): Buffer {
  const blocks = Array.from(
    { length: blockCount },
    (_, index) => listener?.blocks.get(index + 1) ?? new Uint8Array(),
  );
  return Buffer.concat(blocks);
}

test("multicast TFTP: three clients share one copy", () => {
  const { clients, sentBlockCount } = simulate({ clients: ["a", "b", "c"], loses: () => false });
  assert.equal(sentBlockCount, blockCount);
  for (const listener of clients.values()) {
    assert.ok(content(listener).equals(file));
  }
});

test("multicast TFTP: who lost blocks gets only those when its turn as master comes", () => {
  const { clients, sentBlockCount } = simulate({
    clients: ["a", "b"],
    loses: (client, block, packetIndex) =>
      client === "b" && [3, 7].includes(block) && packetIndex <= blockCount,
  });
  assert.ok(content(clients.get("b")).equals(file));
  assert.equal(sentBlockCount, blockCount + 2);
});

test("multicast TFTP: a late client hears the rest and is then served the beginning", () => {
  const { clients } = simulate({ clients: ["a", "late"], loses: () => false, joinsAtPacket: { late: 6 } });
  assert.ok(content(clients.get("late")).equals(file));
});

test("multicast TFTP: a master that falls silent is replaced, the others finish", () => {
  const { clients } = simulate({ clients: ["a", "b", "c"], loses: () => false, dies: "a" });
  assert.ok(content(clients.get("b")).equals(file));
  assert.ok(content(clients.get("c")).equals(file));
  assert.equal(clients.get("a")?.blocks.size, 4);
});

test("MTFTP: who asks first is served without an OACK, and the end of its transfer is the end", () => {
  const transfer = new MulticastTransfer(file, { ...terms, protocol: "mtftp" });
  let outputs = transfer.join("a", new Map(), 0);
  assert.deepEqual(transfer.join("b", new Map(), 0), []);
  const received: Uint8Array[] = [];
  for (let block = 1; block <= blockCount; block += 1) {
    const sent = outputs.find((output) => output.type === "send-to-group");
    assert.ok(sent?.packet.type === "data");
    received.push(sent.packet.data);
    const toClient = outputs.filter((output) => output.type === "send-to-client");
    assert.equal(toClient.length, block === 1 ? 1 : 0, "the first block by unicast says who is the master");
    outputs = transfer.receive("a", { type: "ack", blockNumber: block }, 0);
  }
  assert.ok(Buffer.concat(received).equals(file));
  assert.deepEqual(
    outputs.map((output) => output.type),
    ["client-ended", "finish"],
  );
});

test("multicast TFTP: a master that the group does not reach gets its blocks by unicast, and each only once", () => {
  const transfer = new MulticastTransfer(file, terms);
  transfer.join("deaf", new Map(), 0);
  let outputs = transfer.receive("deaf", { type: "ack", blockNumber: 0 }, 0);
  const isToClient = (output: MulticastOutput): boolean => output.type === "send-to-client";
  for (const nowMs of [1000, 2000]) {
    assert.ok(!outputs.some(isToClient));
    outputs = transfer.wake(nowMs);
  }
  outputs = transfer.wake(3000);
  for (let block = 1; block < blockCount; block += 1) {
    assert.equal(outputs.filter(isToClient).length, 1, `block ${block}`);
    outputs = transfer.receive("deaf", { type: "ack", blockNumber: block }, 3000);
    assert.deepEqual(transfer.receive("deaf", { type: "ack", blockNumber: block }, 3000), []);
  }
  outputs = transfer.receive("deaf", { type: "ack", blockNumber: blockCount }, 3000);
  assert.ok(outputs.some((output) => output.type === "client-ended" && output.outcome === "complete"));
});
