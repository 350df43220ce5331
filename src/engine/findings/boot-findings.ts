import type { BootEvent } from "../boot/boot-event.ts";
import { findSegment, type Segment } from "#plan/segment.ts";
import type { Finding } from "./finding.ts";

/** iPXE waits two seconds for an offer beside the lease. */
const answerBudgetMs = 1000;

/** What one boot event says is wrong. */
export function findInBootEvent(event: BootEvent, segments: readonly Segment[]): Finding[] {
  return [lateAnswer(event), conflict(event), unlistedRelay(event, segments)].filter(
    (finding) => finding !== null,
  );
}

function lateAnswer(event: BootEvent): Finding | null {
  if (event.latencyMs === null || event.latencyMs <= answerBudgetMs || event.mac === null) {
    return null;
  }
  return {
    kind: "late-boot-answer",
    severity: "warning",
    subject: { type: "computer", mac: event.mac },
    evidence: `it was answered after ${(event.latencyMs / 1000).toFixed(1)} s; firmware waits one to two`,
    cause: "the server is overloaded, or its processor is held up by something else",
    remedy: null,
  };
}

function conflict(event: BootEvent): Finding | null {
  if (event.conflict === null || event.mac === null) {
    return null;
  }
  return {
    kind: "duplicate-identity",
    severity: "fault",
    subject: { type: "computer", mac: event.mac },
    evidence: `it cannot be told from ${event.conflict.computerIds.join(", ")}${event.uuid === null ? "" : ` (UUID ${event.uuid})`}`,
    cause:
      "two computers show the same identity, as boards without a UUID of their own do; neither gets destructive work",
    remedy: "forget the record that is wrong: portolan computer forget ID; or give the board its own UUID",
  };
}

function unlistedRelay(event: BootEvent, segments: readonly Segment[]): Finding | null {
  if (event.reason !== "relay-not-listed" || event.relay === null) {
    return null;
  }
  const { address } = event.relay;
  return {
    kind: "relay-not-listed",
    severity: "fault",
    subject: { type: "segment", name: findSegment(segments, address)?.name ?? address },
    evidence: `relay ${address} passed on a request of ${event.mac}, and was not answered`,
    cause: "only relays that were named to the server are answered",
    remedy: `in the server's configuration, under [server]: relays = ["${address}"]`,
  };
}
