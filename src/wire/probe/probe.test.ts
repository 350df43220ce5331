import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address } from "../address/ipv4-address.ts";
import { MacAddress } from "../address/mac-address.ts";
import { WireError } from "../bytes/wire-error.ts";
import { decodeAgentMessage, decodeServerMessage } from "../control/message.ts";
import { readForwardDelaySeconds } from "../ethernet/bridge-protocol.ts";
import { decodeProbeDatagram, encodeProbeDatagram } from "./probe-datagram.ts";
import type { ServerProbeMessage } from "./probe-order.ts";
import type { AgentProbeMessage, TcpSighting } from "./probe-sighting.ts";
import { isProbeMac, probeMac } from "./pxe-probe-packet.ts";

const group = Ipv4Address.parse("224.2.0.2");
const server = Ipv4Address.parse("10.9.0.1");
const mac = MacAddress.parse("02:50:54:4c:00:01");

const orders: readonly ServerProbeMessage[] = [
  { type: "probe", probeId: "1", order: { kind: "control", port: 402 } },
  { type: "probe", probeId: "1", order: { kind: "closed-ports", ports: [22, 5432] } },
  {
    type: "probe",
    probeId: "1",
    order: { kind: "http", port: 8069, path: "/boot/vmlinuz", firstByte: 0, lastByte: 4095 },
  },
  {
    type: "probe",
    probeId: "1",
    order: { kind: "tftp", fileName: "portolan-probe-1", blockSizes: [512, 1468], requestSizes: [1500, 576] },
  },
  { type: "probe", probeId: "1", order: { kind: "dhcp", mac, transactionId: 7 } },
  { type: "probe", probeId: "1", order: { kind: "boot-server", mac, transactionId: 7 } },
  {
    type: "probe",
    probeId: "1",
    order: { kind: "discovery", group, port: 402, ttl: 32, nonce: "00".repeat(16) },
  },
  { type: "probe", probeId: "1", order: { kind: "transfer", port: 40_000, ticket: "t" } },
  { type: "probe", probeId: "1", order: { kind: "remote", port: 40_001, ticket: "t" } },
  {
    type: "probe",
    probeId: "1",
    order: { kind: "multicast", token: 9, isJoined: true, pairs: [{ group, port: 401 }] },
  },
  { type: "probe", probeId: "1", order: { kind: "wake", port: 9, mac } },
  { type: "probe-end", probeId: "1" },
];

const tcp: TcpSighting = { state: "open", elapsedMs: 1.5, localEnd: "10.9.0.2:1234", detail: null };
const offer = {
  ...{ sourceAddress: server, serverIdentifier: server, yourAddress: Ipv4Address.any, serverAddress: server },
  ...{ relayAddress: Ipv4Address.any, bootFile: "undionly.kpxe", isBootServer: true },
  ...{ subnetMask: null, router: null, attempt: 0, elapsedMs: 3 },
};
const sightings: readonly AgentProbeMessage[] = [
  { type: "probe-ready", probeId: "1" },
  { type: "probe-result", probeId: "1", sighting: null, reason: "port 68 is taken" },
  { type: "probe-result", probeId: "1", sighting: { kind: "control", tcp, tlsMs: 2 }, reason: null },
  {
    type: "probe-result",
    probeId: "1",
    sighting: { kind: "closed-ports", ports: [{ ...tcp, state: "silent", localEnd: null, port: 22 }] },
    reason: null,
  },
  {
    type: "probe-result",
    probeId: "1",
    sighting: { kind: "http", tcp, status: 206, receivedBytes: 4096, sha256: "ab", elapsedMs: 3 },
    reason: null,
  },
  {
    type: "probe-result",
    probeId: "1",
    sighting: {
      kind: "tftp",
      reads: [
        {
          ...{ blockSizeBytes: 512, outcome: "complete", elapsedMs: 3, serverPort: 69 },
          ...{ agreedSizeBytes: 512, receivedBytes: 4000, detail: null },
        },
      ],
      answeredSizes: [1500],
      fragmentCount: 0,
    },
    reason: null,
  },
  {
    type: "probe-result",
    probeId: "1",
    sighting: { kind: "dhcp", sentCount: 1, offers: [offer] },
    reason: null,
  },
  {
    type: "probe-result",
    probeId: "1",
    sighting: {
      ...{ kind: "discovery", sentCount: 1, elapsedMs: 2, answerAddress: server },
      ...{ sourceAddress: server, isSignatureRight: true },
    },
    reason: null,
  },
  {
    type: "probe-result",
    probeId: "1",
    sighting: { kind: "transfer", tcp, receivedBytes: 15, sha256: "ab", elapsedMs: 3 },
    reason: null,
  },
  {
    type: "probe-result",
    probeId: "1",
    sighting: {
      kind: "multicast",
      pairs: [
        {
          ...{ group, port: 401, received: 30, highestSequence: 30, reordered: 0, duplicates: 0 },
          ...{
            sourceAddress: server,
            byTtl: [{ value: 16, count: 30 }],
            bySize: [{ value: 1500, count: 10 }],
          },
        },
      ],
      wire: {
        ...{ routerCount: 0, queryCount: 1, querierAddress: server, floodedCount: 0 },
        ...{ rightChecksums: 30, wrongChecksums: 0, fragmentCount: 0, forwardDelaySeconds: null },
      },
    },
    reason: null,
  },
  {
    type: "probe-result",
    probeId: "1",
    sighting: { kind: "wake", receivedCount: 2, sourceAddress: server },
    reason: null,
  },
];

test("probe messages: each comes out of the wire as it went in", () => {
  for (const message of orders) {
    assert.deepEqual(decodeServerMessage(JSON.parse(JSON.stringify(message))), message);
  }
  for (const message of sightings) {
    assert.deepEqual(decodeAgentMessage(JSON.parse(JSON.stringify(message))), message);
  }
});

test("probe messages: what is missing, too large or of another kind is refused, and nothing else is thrown", () => {
  const broken = (message: object, change: (copy: Record<string, unknown>) => void): unknown => {
    const copy = JSON.parse(JSON.stringify(message)) as Record<string, unknown>;
    change(copy);
    return copy;
  };
  const refused: unknown[] = [
    { type: "probe", probeId: "1", order: { kind: "format-disk" } },
    { type: "probe", probeId: "x".repeat(65), order: { kind: "control", port: 402 } },
    { type: "probe", probeId: "1", order: { kind: "control", port: 70_000 } },
    {
      type: "probe",
      probeId: "1",
      order: { kind: "closed-ports", ports: Array.from({ length: 33 }, () => 1) },
    },
    { type: "probe", probeId: "1", order: { kind: "wake", port: 9, mac: "nobody" } },
    {
      type: "probe",
      probeId: "1",
      order: { kind: "multicast", token: 1, isJoined: true, pairs: [{ group: "10.0.0.1", port: 401 }] },
    },
  ];
  for (const message of refused) {
    assert.throws(() => decodeServerMessage(message), WireError, JSON.stringify(message));
  }
  for (const message of sightings.filter((one) => one.type === "probe-result" && one.sighting !== null)) {
    const isTyped = broken(message, (copy) => {
      (copy["sighting"] as Record<string, unknown>)["kind"] = "tea-leaves";
    });
    assert.throws(() => decodeAgentMessage(isTyped), WireError);
    const fields = Object.keys((message as { sighting: object }).sighting).filter(
      (field) => field !== "kind",
    );
    for (const field of fields) {
      const lacking = broken(message, (copy) => {
        (copy["sighting"] as Record<string, unknown>)[field] = { not: "it" };
      });
      assert.throws(() => decodeAgentMessage(lacking), WireError, `${field} of ${JSON.stringify(message)}`);
    }
  }
});

test("probe datagram: round trip at any size, every truncation refused", () => {
  const probe = { token: 0xfffffff0, sequence: 30, ttl: 16 };
  for (const sizeBytes of [16, 64, 1472]) {
    const bytes = encodeProbeDatagram(probe, sizeBytes);
    assert.equal(bytes.byteLength, sizeBytes);
    assert.deepEqual(decodeProbeDatagram(bytes), probe);
  }
  const bytes = encodeProbeDatagram(probe, 16);
  for (let sizeBytes = 0; sizeBytes < 16; sizeBytes += 1) {
    assert.throws(() => decodeProbeDatagram(bytes.subarray(0, sizeBytes)), WireError);
  }
  assert.throws(() => decodeProbeDatagram(new Uint8Array(64)), { code: "bad-magic" });
});

test("probe MAC: locally administered, and told from every other", () => {
  assert.equal(probeMac(0x0102), "02:50:54:4c:01:02");
  assert.ok(isProbeMac(probeMac(65_535)));
  assert.ok(!isProbeMac(MacAddress.parse("52:54:00:00:00:01")));
});

test("spanning tree: the forward delay of a bridge's message, and nothing of other frames", () => {
  const frame = Buffer.from(
    "0180c2000000525400000001002642420300000000008000525400000001000000008000525400000001800100001400020" +
      "00f00",
    "hex",
  );
  assert.equal(readForwardDelaySeconds(frame), 15);
  for (let sizeBytes = 0; sizeBytes < frame.byteLength; sizeBytes += 1) {
    assert.equal(readForwardDelaySeconds(frame.subarray(0, sizeBytes)), null);
  }
  assert.equal(readForwardDelaySeconds(Buffer.alloc(64)), null);
});
