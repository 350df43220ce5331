import assert from "node:assert/strict";
import { test } from "node:test";
import { readComputerIdentity, type ComputerIdentity } from "./computer-identity.ts";
import {
  decideEnrolment,
  deploymentWindowMs,
  describeEnrolment,
  pendingCountMax,
  type EnrolmentRecord,
  type EnrolmentRequest,
} from "./decide-enrolment.ts";
import { matchIdentity, type RecordedComputer } from "./match-identity.ts";

const uuidA = "4c4c4544-0042-3510-8054-b7c04f4e4d31";
const uuidB = "4c4c4544-0042-3510-8054-b7c04f4e4d32";

function identity(
  macs: string[],
  uuid: string | null = null,
  serial: string | null = null,
): ComputerIdentity {
  return readComputerIdentity({ macs, uuid, serial });
}
function recorded(id: string, who: ComputerIdentity, isConnected = false): RecordedComputer {
  return { ...who, id, isConnected };
}
const mac = (digit: number): string => `52:54:00:00:00:0${digit}`;

test("an identity keeps usable parts and leaves out what identifies nobody", () => {
  const read = readComputerIdentity({
    macs: [
      "52-54-00-00-00-02",
      "525400000001",
      "52:54:00:00:00:02",
      "00:00:00:00:00:00",
      "ff:ff:ff:ff:ff:ff",
      "01:00:5e:00:00:01",
      "nonsense",
    ],
    uuid: uuidA.toUpperCase(),
    serial: "  CZC1234ABC ",
  });
  assert.deepEqual(read, { macs: [mac(1), mac(2)], uuid: uuidA, serial: "CZC1234ABC" });
});

test("placeholders of boards nobody filled in are no identity", () => {
  for (const serial of [
    "To Be Filled By O.E.M.",
    "Default string",
    "0000000",
    "FFFF-FFFF",
    "....",
    "",
    " ",
    "\u0007bell",
    "x".repeat(65),
    "123456789",
  ]) {
    assert.equal(identity([], null, serial).serial, null, JSON.stringify(serial));
  }
  for (const uuid of [
    "00000000-0000-0000-0000-000000000000",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "03000200-0400-0500-0006-000700080009",
    "no uuid",
  ]) {
    assert.equal(identity([], uuid).uuid, null, uuid);
  }
});

test("matching tells new, same and conflicting computers apart", () => {
  const a = recorded("a", identity([mac(1)], uuidA, "SA"));
  const b = recorded("b", identity([mac(2)], uuidB, "SB"));
  const cases: [string, ComputerIdentity, RecordedComputer[], unknown][] = [
    ["nothing to go by", identity([], null, "SA"), [], { type: "nobody" }],
    ["nobody like it", identity([mac(3)], uuidA), [], { type: "new" }],
    [
      "all three equal",
      identity([mac(1)], uuidA, "SA"),
      [a],
      { type: "same", computerId: "a", isExact: true, newMacs: [] },
    ],
    [
      "docked, second card beside the first",
      identity([mac(1), mac(4)], uuidA, "SA"),
      [a],
      { type: "same", computerId: "a", isExact: true, newMacs: [mac(4)] },
    ],
    [
      "docked, only the dock's card",
      identity([mac(4)], uuidA, "SA"),
      [a],
      { type: "same", computerId: "a", isExact: false, newMacs: [mac(4)] },
    ],
    [
      "UUID in the other byte order",
      identity([mac(1)], "44454c4c-4200-1035-8054-b7c04f4e4d31", "SA"),
      [a],
      { type: "same", computerId: "a", isExact: true, newMacs: [] },
    ],
    [
      "own card and a dock that another computer used",
      identity([mac(1), mac(2)], uuidA, "SA"),
      [a, b],
      { type: "same", computerId: "a", isExact: true, newMacs: [] },
    ],
    [
      "no UUID in this firmware",
      identity([mac(1)]),
      [a],
      { type: "same", computerId: "a", isExact: false, newMacs: [] },
    ],
    [
      "copied UUID on another board",
      identity([mac(5)], uuidA, "OTHER"),
      [a],
      { type: "conflict", conflict: "duplicate-uuid", computerIds: ["a"] },
    ],
    [
      "copied UUID, no serial to tell",
      identity([mac(5)], uuidA),
      [a],
      { type: "conflict", conflict: "duplicate-uuid", computerIds: ["a"] },
    ],
    [
      "UUID and serial of a computer that is connected",
      identity([mac(5)], uuidA, "SA"),
      [{ ...a, isConnected: true }],
      { type: "conflict", conflict: "duplicate-uuid", computerIds: ["a"] },
    ],
    [
      "two records with the UUID",
      identity([mac(1)], uuidA),
      [a, { ...b, uuid: a.uuid }],
      { type: "conflict", conflict: "duplicate-uuid", computerIds: ["a", "b"] },
    ],
    [
      "cards of two computers, no UUID",
      identity([mac(1), mac(2)]),
      [a, b],
      { type: "conflict", conflict: "macs-of-several-computers", computerIds: ["a", "b"] },
    ],
    [
      "card of one, UUID of the other",
      identity([mac(2)], uuidA),
      [a, b],
      { type: "conflict", conflict: "mac-and-uuid-disagree", computerIds: ["b", "a"] },
    ],
    [
      "known card on an unknown board",
      identity([mac(1)], "4c4c4544-0042-3510-8054-b7c04f4e4d33"),
      [a],
      { type: "conflict", conflict: "uuid-changed", computerIds: ["a"] },
    ],
    [
      "other serial under card and UUID",
      identity([mac(1)], uuidA, "SX"),
      [a],
      { type: "conflict", conflict: "serial-changed", computerIds: ["a"] },
    ],
    [
      "other serial under the card alone",
      identity([mac(1)], null, "SX"),
      [{ ...a, uuid: null }],
      { type: "conflict", conflict: "serial-changed", computerIds: ["a"] },
    ],
  ];
  for (const [name, who, candidates, expected] of cases) {
    assert.deepEqual(matchIdentity(who, candidates), expected, name);
  }
});

const who = identity([mac(1)], uuidA, "SA");
const nowMs = 1_800_000_000_000;
function record(changes: Partial<EnrolmentRecord> = {}): EnrolmentRecord {
  return {
    ...recorded("a", who),
    state: "approved",
    osKeyFingerprint: null,
    osKeyAtMs: null,
    approvedKeyFingerprint: null,
    deployedAtMs: null,
    hasPrebootWork: false,
    installingSinceMs: null,
    ...changes,
  };
}
function decide(request: Partial<EnrolmentRequest>, candidates: EnrolmentRecord[], pendingCount = 0) {
  return decideEnrolment(
    {
      identity: who,
      environment: "preboot",
      keyFingerprint: "k1",
      bootToken: "absent",
      invitation: null,
      ...request,
    },
    { candidates, pendingCount },
    nowMs,
  );
}
const verdict = (
  request: Partial<EnrolmentRequest>,
  candidates: EnrolmentRecord[],
  pendingCount = 0,
): string => {
  const decision = decide(request, candidates, pendingCount);
  assert.match(describeEnrolment(decision), /\w.*\.$/);
  return `${decision.type} ${decision.reason}`;
};

test("an unknown computer becomes pending and is created with first contact", () => {
  const decision = decide({ bootToken: "valid" }, []);
  assert.deepEqual(decision, {
    type: "pending",
    computerId: null,
    reason: "unknown-computer",
    newMacs: who.macs,
  });
  assert.equal(verdict({}, [], pendingCountMax), "refused too-many-pending");
  assert.equal(verdict({ identity: identity([]) }, []), "refused no-identity");
});

test("preboot of an approved computer needs the token of its boot", () => {
  assert.equal(verdict({ bootToken: "valid" }, [record()]), "enrolled boot-token");
  assert.equal(verdict({ bootToken: "absent" }, [record()]), "pending new-key");
  assert.equal(verdict({ bootToken: "invalid" }, [record({ hasPrebootWork: true })]), "pending new-key");
  assert.equal(verdict({ bootToken: "valid" }, [record({ state: "pending" })]), "pending awaits-approval");
  assert.equal(verdict({ bootToken: "valid" }, [record({ state: "conflict" })]), "held held");
});

test("a server that restarted during the boot still lets its own job in, and nobody else", () => {
  const bootToken = "unknown-after-restart" as const;
  assert.equal(verdict({ bootToken }, [record({ hasPrebootWork: true })]), "enrolled job-after-restart");
  assert.equal(verdict({ bootToken }, [record()]), "pending new-key");
  const noSerial = { ...record({ hasPrebootWork: true }), serial: null };
  assert.equal(verdict({ bootToken }, [noSerial]), "pending new-key");
});

test("an installed agent is let in once after its deployment, by its old key, or by approval of its key", () => {
  const os = { environment: "os" } as const;
  const deployedAtMs = nowMs - 60_000;
  assert.equal(verdict(os, [record({ deployedAtMs })]), "enrolled just-deployed");
  assert.equal(
    verdict(os, [record({ deployedAtMs, osKeyFingerprint: "old", osKeyAtMs: deployedAtMs - 1 })]),
    "enrolled just-deployed",
  );
  assert.equal(
    verdict(os, [record({ deployedAtMs, osKeyFingerprint: "new", osKeyAtMs: deployedAtMs + 1 })]),
    "pending new-key",
  );
  assert.equal(verdict(os, [record({ deployedAtMs: nowMs - deploymentWindowMs - 1 })]), "pending new-key");
  assert.equal(
    verdict({ ...os, identity: identity([mac(1)], uuidA) }, [record({ deployedAtMs })]),
    "pending new-key",
  );
  assert.equal(verdict(os, [record({ osKeyFingerprint: "k1", osKeyAtMs: 1 })]), "enrolled known-key");
  assert.equal(verdict(os, [record({ approvedKeyFingerprint: "k1" })]), "enrolled approved-key");
  assert.equal(verdict({ ...os, bootToken: "valid" }, [record()]), "pending new-key");
});

test("the agent that an installer brings is let in once while the job waits for it, and only on that computer", () => {
  const os = { environment: "os" } as const;
  const installingSinceMs = nowMs - 3_600_000;
  assert.equal(verdict(os, [record({ installingSinceMs })]), "enrolled just-installed");
  const old = { installingSinceMs, osKeyFingerprint: "old", osKeyAtMs: installingSinceMs - 1 };
  assert.equal(verdict(os, [record(old)]), "enrolled just-installed");
  assert.equal(verdict(os, [record({ ...old, osKeyAtMs: installingSinceMs + 1 })]), "pending new-key");
  assert.equal(
    verdict({ ...os, identity: identity([mac(1)], uuidA) }, [record({ installingSinceMs })]),
    "pending new-key",
  );
  assert.equal(verdict({}, [record({ installingSinceMs })]), "pending new-key", "not in preboot");
  assert.equal(verdict(os, [record({ installingSinceMs, state: "pending" })]), "pending awaits-approval");
});

test("a board without a serial is recognised by MAC and UUID, one without both by nothing", () => {
  const os = { environment: "os" } as const;
  const deployedAtMs = nowMs - 60_000;
  const noSerial = identity([mac(1)], uuidA);
  assert.equal(
    verdict({ ...os, identity: noSerial }, [record({ deployedAtMs, serial: null })]),
    "enrolled just-deployed",
  );
  const onlyMac = identity([mac(1)]);
  assert.equal(
    verdict({ ...os, identity: onlyMac }, [record({ deployedAtMs, serial: null, uuid: null })]),
    "pending new-key",
  );
});

test("certificates of preboot are short-lived", () => {
  const preboot = decide({ bootToken: "valid" }, [record()]);
  const os = decide({ environment: "os" }, [record({ approvedKeyFingerprint: "k1" })]);
  assert.ok(preboot.type === "enrolled" && preboot.certificateLifetimeMs === 24 * 3_600_000);
  assert.ok(os.type === "enrolled" && os.certificateLifetimeMs === 365 * 24 * 3_600_000);
});

test("a copied UUID is held and names the computers", () => {
  assert.deepEqual(decide({ identity: identity([mac(7)], uuidA, "SZ"), bootToken: "valid" }, [record()]), {
    type: "held",
    reason: "duplicate-uuid",
    computerIds: ["a"],
  });
});

test("enrolment: an invitation lets in who was never approved, and nobody who was", () => {
  const os = { environment: "os", invitation: "token" } as const;
  assert.deepEqual(decide(os, []), {
    type: "enrolled",
    computerId: null,
    reason: "enrolment-token",
    certificateLifetimeMs: 365 * 24 * 3_600_000,
    newMacs: who.macs,
  });
  assert.equal(verdict(os, [record({ state: "pending" })]), "enrolled enrolment-token");
  assert.equal(
    verdict({ ...os, invitation: "window" }, [record({ state: "pending" })]),
    "enrolled open-window",
  );
  assert.equal(verdict(os, [record()]), "pending new-key");
  assert.equal(verdict(os, [record({ state: "conflict" })]), "held held");
});
