import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { WireError } from "../bytes/wire-error.ts";
import { exactRestore } from "./image-task-message.ts";
import { toSafeText } from "./json-fields.ts";
import { decodeAgentMessage, decodeEnrollMessage, decodeServerMessage } from "./message.ts";

const inventory = {
  macs: ["52:54:00:00:00:01"],
  uuid: null,
  serial: "S1",
  hostName: "pc1",
  product: "QEMU",
  firmware: "bios",
  isSecureBoot: false,
  processor: null,
  processorCount: 1,
  memoryBytes: 1 << 30,
  operatingSystem: null,
  addresses: ["10.0.0.2"],
  disks: [
    {
      name: "vda",
      sizeBytes: 1 << 30,
      model: null,
      serial: "d1",
      wwn: null,
      byPath: "pci-0000:00:04.0",
      isRemovable: false,
    },
  ],
  cards: [
    {
      name: "eth0",
      mac: "52:54:00:00:00:01",
      address: "10.0.0.2",
      prefixLength: 24,
      isWired: true,
      isUp: true,
      speedMbps: 1000,
      driver: "virtio_net",
      neighbour: {
        systemName: "sw1",
        chassisId: "00:11:22:33:44:55",
        portId: "Gi1/0/7",
        portDescription: null,
        vlanId: 10,
      },
    },
  ],
};

const settings = {
  server: null,
  controlPort: 402,
  discovery: true,
  discoveryGroup: "225.1.2.3",
  discoveryPort: 402,
  discoveryTtl: 32,
  remoteControl: "ask",
  remoteNotice: true,
};

const enroll = {
  type: "enroll",
  environment: "preboot",
  publicKey: "AAAA",
  proof: "BBBB",
  bootToken: null,
  enrolmentToken: null,
  inventory,
};

const agentMessages = [
  {
    type: "hello",
    environment: "os",
    agentRunId: "r1",
    inventory,
    tasks: [],
    probes: ["tftp", "of-tomorrow"],
  },
  { type: "task-progress", key: "k", doneBytes: 1, totalBytes: 2, transport: null, stage: "writing" },
  { type: "task-result", key: "k", outcome: "failed", reason: "why\nso" },
  { type: "pong" },
  { type: "settings", settings, isLocked: true },
  { type: "settings-report", changeId: "s1", outcome: "returned", reason: "why" },
  { type: "rogue-server", address: "10.0.0.66", fingerprint: "ab" },
  { type: "wake-sent", wakeId: "w1", sentCount: 2 },
  { type: "menu-choice", choice: "j-00000001", by: "timeout" },
  { type: "software", software: { packages: ["bash 5.2"], users: ["root"] } },
  { type: "imaging-join", key: "k", wanted: [[0, 4]] },
  { type: "imaging-ready", sessionId: 1 },
  { type: "imaging-done", sessionId: 1 },
  { type: "imaging-report", sessionId: 1, sequence: 9, lost: 0 },
  { type: "imaging-missing", sessionId: 1, round: 1, chunks: [[0, 1]], blocks: [[3, [[1, 2]]]] },
];

const serverMessages = [
  { type: "pending", reason: "wait" },
  { type: "refused", reason: "no" },
  { type: "enrolled", certificatePem: "-----BEGIN\nx\n" },
  {
    type: "welcome",
    computerId: "c1",
    name: "pc1",
    discovery: { isEnabled: true, group: "225.1.2.3", port: 402 },
  },
  {
    type: "change-settings",
    changeId: "s1",
    change: { server: null, controlPort: 403, lock: null },
    returnAfterMs: 60_000,
  },
  {
    type: "menu",
    entries: [{ choice: "j-00000001", label: "Classroom", isDestructive: true }],
    defaultChoice: null,
    timeoutMs: null,
  },
  { type: "menu-end", text: "It waits.", isRestart: false },
  {
    type: "wake-peer",
    wakeId: "w1",
    macs: ["52:54:00:00:00:01"],
    port: 401,
    secureOnPassword: null,
  },
  { type: "task", key: "k", task: { kind: "restart" } },
  {
    type: "task",
    key: "k",
    task: { kind: "run-script", script: "#!/bin/sh\ntrue\n", interpreter: "/bin/sh", timeoutMs: 1000 },
  },
  {
    type: "task",
    key: "k",
    task: {
      kind: "deploy-image",
      imageId: "i",
      disk: {},
      options: exactRestore,
      transfer: { port: 5000, ticket: "t" },
    },
  },
  { type: "cancel-task", key: "k" },
  { type: "ping" },
  {
    type: "imaging-session",
    key: "k",
    sessionId: 1,
    group: "224.2.0.2",
    port: 401,
    blockSizeBytes: 1448,
    sessionKey: "AAAA",
  },
  { type: "imaging-round-end", sessionId: 1, round: 2, sequence: 900, chunks: [[0, 4]] },
  { type: "imaging-use-unicast", key: "k", reason: "no multicast" },
];

/** Every object of a message with one field taken away, and with one field made something else. */
function* damaged(value: unknown, wrong: unknown): Generator {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const changed of damaged(item, wrong)) {
        yield value.with(index, changed);
      }
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      const { [key]: _taken, ...rest } = value as Record<string, unknown>;
      yield rest;
      yield { ...value, [key]: wrong };
      for (const changed of damaged(item, wrong)) {
        yield { ...value, [key]: changed };
      }
    }
  }
}

const decoders = [
  ["enrolment", decodeEnrollMessage, [enroll]],
  ["agent", decodeAgentMessage, agentMessages],
  ["server", decodeServerMessage, serverMessages],
] as const;

for (const [who, decode, messages] of decoders) {
  test(`control message: every message of ${who} kind is read as it was written`, () => {
    for (const message of messages) {
      assert.deepEqual(decode(message), message);
    }
  });

  test(`control message: a message of ${who} kind with a field missing or of another kind ends in a WireError or a value`, () => {
    for (const message of messages) {
      for (const wrong of [undefined, {}, [], -1, 1.5, "x".repeat(100_000), "\u001b[2J", Number.NaN]) {
        for (const changed of damaged(message, wrong)) {
          try {
            decode(changed);
          } catch (error) {
            assert.ok(error instanceof WireError, String(error));
          }
        }
      }
    }
  });

  test(`control message: any JSON in place of a message of ${who} kind ends in a WireError`, () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        assert.throws(() => decode(value), WireError);
      }),
    );
  });
}

test("control message: an agent that does not say which probes it knows is one of those that did not know remote", () => {
  const hello = decodeAgentMessage({ ...agentMessages[0], probes: undefined });
  assert.ok(hello.type === "hello" && hello.probes.includes("wake") && !hello.probes.includes("remote"));
});

test("control message: identifiers with control characters are refused, prose has them made visible", () => {
  const [hello, , result] = agentMessages;
  assert.throws(() => decodeAgentMessage({ ...hello, agentRunId: "a\u0000b" }), { code: "bad-value" });
  assert.deepEqual(decodeAgentMessage({ ...result, reason: "red \u001b[31m\u202e" }), {
    ...result,
    reason: "red \\u{1b}[31m\\u{202e}",
  });
  const named = decodeAgentMessage({ ...hello, inventory: { ...inventory, product: "a\u0007\nb" } });
  assert.equal(named.type === "hello" ? named.inventory.product : "", "a\\u{7} b");
});

test("control message: safe text is within its bound and free of control characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(50), (text, bound) => {
      const safe = toSafeText(text, bound, "end");
      assert.ok(safe.length <= bound);
      assert.doesNotMatch(safe.replaceAll(/[\t\n]/g, ""), /\p{Cc}/u);
    }),
  );
});
