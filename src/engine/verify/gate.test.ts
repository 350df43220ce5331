import assert from "node:assert/strict";
import { test } from "node:test";
import { type GateComputer, type GateNeeds, judgeGate } from "./gate.ts";
import type { Cell, CellSubject, FaultCause, Verdict } from "./verdict.ts";

const nowMs = 1_800_000_000_000;

function cell(flow: CellSubject, verdict: Verdict, causeCode: FaultCause | null = null): Cell {
  const cause = verdict === "pass" ? null : "the router drops it";
  return { segment: "far", flow, verdict, latencyMs: null, evidence: "seen", cause, causeCode, remedy: null };
}

function verdictsOf(...cells: readonly Cell[]) {
  return [{ segment: "far", atMs: nowMs - 60_000, cells }];
}

const image: GateNeeds = { preboot: true, transfer: true, multicast: true };
const pc = (name: string, given: Partial<GateComputer> = {}): GateComputer => ({
  ...{ id: `c-${name}`, name, segment: "far", isInPreboot: false },
  ...given,
});
const estimate = { contentBytes: 6_000_000_000, rateBytesPerSecond: 100_000_000, rateSource: "100 MB/s" };

test("gate: work goes where everything passes, and where nobody has looked", () => {
  const verdicts = verdictsOf(cell("boot.dhcp", "pass"), cell("imaging.data", "pass"));
  assert.deepEqual(judgeGate(image, [pc("a"), pc("b")], verdicts, estimate, nowMs), { type: "go" });
  assert.deepEqual(judgeGate(image, [pc("a")], [], estimate, nowMs), { type: "go" });
  const elsewhere = pc("a", { segment: null });
  const blocked = verdictsOf(cell("transfer.data", "blocked"));
  assert.deepEqual(judgeGate(image, [elsewhere], blocked, estimate, nowMs), { type: "go" });
});

test("gate: what cannot boot from the network is refused, unless it is in preboot already", () => {
  const verdicts = verdictsOf(cell("boot.tftp", "blocked", "filtered"));
  const decision = judgeGate(image, [pc("a"), pc("b", { isInPreboot: true })], verdicts, estimate, nowMs);
  assert.deepEqual(decision, {
    type: "refuse",
    text:
      "the network cannot carry this to a: boot.tftp in far is blocked (the router drops it); " +
      "portolan plan verify shows the remedy",
  });
  const waiting = [pc("b", { isInPreboot: true })];
  assert.deepEqual(judgeGate(image, waiting, verdicts, estimate, nowMs), { type: "go" });
  const script: GateNeeds = { preboot: false, transfer: false, multicast: false };
  assert.deepEqual(judgeGate(script, [pc("a")], verdicts, null, nowMs), { type: "go" });
});

test("gate: verdicts of last month refuse nothing", () => {
  const old = verdictsOf(cell("transfer.data", "blocked")).map((one) => ({
    ...one,
    atMs: nowMs - 30 * 86_400_000,
  }));
  assert.deepEqual(judgeGate(image, [pc("a")], old, estimate, nowMs), { type: "go" });
});

test("gate: where multicast does not arrive the computers fetch alone, with the time that takes", () => {
  const verdicts = verdictsOf(cell("imaging.data", "degraded", "no-querier"));
  const room = [pc("a"), pc("b"), pc("c", { segment: "near" })];
  assert.deepEqual(judgeGate(image, room, verdicts, estimate, nowMs), {
    type: "unicast",
    computerIds: ["c-a", "c-b"],
    text:
      "multicast is degraded in far (no-querier), so these computers fetch by unicast: " +
      "about 2 min for 2 computers at 100 MB/s",
  });
  const alone: GateNeeds = { ...image, multicast: false };
  assert.deepEqual(judgeGate(alone, [pc("a")], verdicts, estimate, nowMs), { type: "go" });
});
