import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { SegmentEvidence } from "./evidence.ts";
import type { Cell, CellSubject, FaultCause } from "./verdict.ts";

/** Where the missing line of a flow is had: from the exporter of the device that most likely lacks it. */
export type RemedyBook = {
  readonly forFlow: (flow: CellSubject, direction: "to-server" | "to-segment") => string | null;
  /** A line of a router or switch that no firewall tool writes. */
  readonly forDevice: (what: "dhcp-relay" | "dhcp-server" | "querier" | "multicast-routing") => string;
};

/** Makes the cells of one segment. */
export class CellWriter {
  readonly evidence: SegmentEvidence;
  readonly #remedies: RemedyBook;

  constructor(evidence: SegmentEvidence, remedies: RemedyBook) {
    this.evidence = evidence;
    this.#remedies = remedies;
  }

  pass(flow: CellSubject, latencyMs: number | null, evidence: string): Cell {
    return this.#cell(flow, "pass", { latencyMs, evidence });
  }

  notTested(flow: CellSubject, reason: string, remedy: string | null = null): Cell {
    return this.#cell(flow, "not-tested", { latencyMs: null, evidence: reason, remedy });
  }

  fault(
    flow: CellSubject,
    verdict: "blocked" | "late" | "degraded",
    given: {
      readonly latencyMs?: number | null;
      readonly evidence: string;
      readonly causeCode: FaultCause;
      readonly cause: string;
      readonly remedy: string | null;
    },
  ): Cell {
    return this.#cell(flow, verdict, { latencyMs: null, ...given });
  }

  /** Asked, and the other end saw nothing of it. */
  lostOnTheWayThere(flow: CellSubject, evidence: string): Cell {
    return this.fault(flow, "blocked", {
      evidence,
      causeCode: "filtered",
      cause: `${this.device()} drops it on the way from ${this.place()} to the server`,
      remedy: this.#remedies.forFlow(flow, "to-server"),
    });
  }

  /** The other end saw it and answered, and the answer did not come. */
  lostOnTheWayBack(flow: CellSubject, evidence: string): Cell {
    return this.fault(flow, "blocked", {
      evidence,
      causeCode: "answer-filtered",
      cause: `${this.device()} drops it on the way from the server to ${this.place()}`,
      remedy: this.#remedies.forFlow(flow, "to-segment") ?? this.#remedies.forFlow(flow, "to-server"),
    });
  }

  remedy(flow: CellSubject, direction: "to-server" | "to-segment"): string | null {
    return this.#remedies.forFlow(flow, direction);
  }

  deviceLine(what: Parameters<RemedyBook["forDevice"]>[0]): string {
    return this.#remedies.forDevice(what);
  }

  /** The device that most likely stands in the way. */
  device(): string {
    const { segment } = this.evidence;
    if (segment.interfaceName !== null) {
      return `a packet filter on the server itself (${segment.interfaceName})`;
    }
    return segment.gatewayAddress === null
      ? "the router or firewall in front of the segment"
      : `the router or firewall in front of the segment (${segment.gatewayAddress})`;
  }

  place(): string {
    const { segment } = this.evidence;
    return `${segment.name} (${Ipv4Subnet.format(segment.cidr)})`;
  }

  #cell(
    flow: CellSubject,
    verdict: Cell["verdict"],
    given: Partial<Cell> & { readonly evidence: string },
  ): Cell {
    return {
      segment: this.evidence.segment.name,
      flow,
      verdict,
      latencyMs: given.latencyMs === null || given.latencyMs === undefined ? null : round(given.latencyMs),
      evidence: given.evidence,
      cause: given.cause ?? null,
      causeCode: given.causeCode ?? null,
      remedy: given.remedy ?? null,
    };
  }
}

function round(valueMs: number): number {
  return Math.round(valueMs * 10) / 10;
}
