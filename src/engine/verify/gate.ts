import type { FlowId } from "#plan/flow.ts";
import type { Cell } from "./verdict.ts";

/** What work needs of the network. */
export type GateNeeds = {
  /** Computers that are not in preboot now have to come there by network boot. */
  readonly preboot: boolean;
  /** Images, files or packages move. */
  readonly transfer: boolean;
  /** They are worth one transmission for all: more than one computer, and large enough. */
  readonly multicast: boolean;
};

export type GateComputer = {
  readonly id: string;
  readonly name: string;
  /** Where it was seen last; `null` when that is no segment that is known. */
  readonly segment: string | null;
  readonly isInPreboot: boolean;
};

export type GateVerdicts = {
  readonly segment: string;
  readonly atMs: number;
  readonly cells: readonly Cell[];
};

/** What is known of how long it would take. */
export type GateEstimate = {
  /** Of one copy on the wire, at most. */
  readonly contentBytes: number;
  readonly rateBytesPerSecond: number;
  /** Where the rate comes from, to finish "at …". */
  readonly rateSource: string;
};

/** `unicast`: the work goes on, but these computers fetch for themselves. */
export type GateDecision =
  | { readonly type: "go" }
  | { readonly type: "unicast"; readonly computerIds: readonly string[]; readonly text: string }
  | { readonly type: "refuse"; readonly text: string };

/** Older verdicts may be of another network: nothing is refused because of them. */
const verdictAgeMsMax = 7 * 24 * 3_600_000;

const bootFlows: readonly FlowId[] = [
  "boot.dhcp",
  "boot.dhcp-reply",
  "boot.tftp",
  "boot.tftp-data",
  "boot.http",
];

/** What of a computer's segment the work cannot do without, and does not have. */
function obstacles(needs: GateNeeds, computer: GateComputer, cells: readonly Cell[]): Cell[] {
  const flows: FlowId[] = [
    "agent.control",
    ...(needs.transfer ? (["transfer.data"] as const) : []),
    ...(needs.preboot && !computer.isInPreboot ? bootFlows : []),
  ];
  return cells.filter(
    ({ flow, verdict }) => verdict === "blocked" && flows.some((needed) => needed === flow),
  );
}

/** Multicast that does not arrive, or would end in the middle. */
function isMulticastLame(cells: readonly Cell[]): Cell | undefined {
  return cells.find(
    ({ flow, verdict }) => flow === "imaging.data" && (verdict === "blocked" || verdict === "degraded"),
  );
}

function describeTime(count: number, estimate: GateEstimate): string {
  const seconds = (count * estimate.contentBytes) / Math.max(1, estimate.rateBytesPerSecond);
  const time = seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
  return `about ${time} for ${count} computer${count === 1 ? "" : "s"} at ${estimate.rateSource}`;
}

/**
 * Whether the network can carry a job, by the last verdicts on the segments of its computers. Segments nobody has
 * verified, or not for a week, refuse nothing.
 *
 * @param estimate `null` when it is not known how much is to be moved
 */
export function judgeGate(
  needs: GateNeeds,
  computers: readonly GateComputer[],
  verdicts: readonly GateVerdicts[],
  estimate: GateEstimate | null,
  nowMs: number,
): GateDecision {
  const cellsOf = (computer: GateComputer): readonly Cell[] => {
    const found = verdicts.find(({ segment }) => segment === computer.segment);
    return found === undefined || nowMs - found.atMs > verdictAgeMsMax ? [] : found.cells;
  };
  const stopped = computers.flatMap((computer) =>
    obstacles(needs, computer, cellsOf(computer)).map((cell) => ({ computer, cell })),
  );
  const [first] = stopped;
  if (first !== undefined) {
    const flows = [...new Set(stopped.map(({ cell }) => `${cell.flow} in ${cell.segment}`))];
    const names = [...new Set(stopped.map(({ computer }) => computer.name))];
    const who =
      names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
    return {
      type: "refuse",
      text:
        `the network cannot carry this to ${who}: ${flows.join(", ")} ${flows.length === 1 ? "is" : "are"} blocked ` +
        `(${first.cell.cause ?? first.cell.evidence}); portolan plan verify shows the remedy`,
    };
  }
  const lame = needs.multicast ? computers.filter((computer) => isMulticastLame(cellsOf(computer))) : [];
  const [one] = lame;
  if (one === undefined) {
    return { type: "go" };
  }
  const cell = isMulticastLame(cellsOf(one));
  const time = estimate === null ? "" : `: ${describeTime(lame.length, estimate)}`;
  const places = [...new Set(lame.map(({ segment }) => segment))].join(", ");
  return {
    type: "unicast",
    computerIds: lame.map(({ id }) => id),
    text:
      `multicast is ${cell?.verdict ?? "blocked"} in ${places} (${cell?.causeCode ?? "unknown"}), ` +
      `so these computers fetch by unicast${time}`,
  };
}
