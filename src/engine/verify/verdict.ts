import type { FlowId } from "#plan/flow.ts";
import type { ClosedPortName } from "./evidence.ts";

export type Verdict = "pass" | "blocked" | "late" | "degraded" | "not-tested";

/** Verdicts after which a command ends with exit code 3. */
export const faultyVerdicts: ReadonlySet<Verdict> = new Set<Verdict>(["blocked", "late", "degraded"]);

/** What is judged: a flow of the plan, or a port that must be closed. */
export type CellSubject = FlowId | `closed.${ClosedPortName}`;

/** Why something does not get through, in a word that never changes. */
export type FaultCause =
  | "filtered"
  | "refused-on-the-way"
  | "answer-filtered"
  | "nothing-listens"
  | "wrong-server"
  | "relay-missing"
  | "relay-not-listed"
  | "relay-without-giaddr"
  | "dhcp-server-missing"
  | "ttl-too-small"
  | "multicast-not-routed"
  | "packet-loss"
  | "path-mtu"
  | "no-querier"
  | "bad-checksums"
  | "too-slow"
  | "port-open";

/** The verdict on one flow in one segment. */
export type Cell = {
  readonly segment: string;
  readonly flow: CellSubject;
  readonly verdict: Verdict;
  /** From question to answer; `null` where nothing answered or nothing was asked. */
  readonly latencyMs: number | null;
  /** What was seen, as sentences. */
  readonly evidence: string;
  /** Most likely reason and device, as a sentence; `null` unless something is wrong. */
  readonly cause: string | null;
  readonly causeCode: FaultCause | null;
  /** What to write, and where; `null` when there is nothing to do. */
  readonly remedy: string | null;
};
