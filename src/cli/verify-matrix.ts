import type { CellResource, FindingResource, VerifiedSegmentResource } from "#api/verify-api.ts";
import { formatTable } from "./format-table.ts";
import { printable } from "./printable-text.ts";

const faulty: ReadonlySet<CellResource["verdict"]> = new Set(["blocked", "late", "degraded"]);

export function isFaulty(cell: CellResource): boolean {
  return faulty.has(cell.verdict);
}

function formatCell(cell: CellResource | undefined): string {
  if (cell === undefined) {
    return "";
  }
  const time = cell.latencyMs === null ? "" : ` ${Math.max(1, Math.round(cell.latencyMs))} ms`;
  return cell.verdict === "pass"
    ? `pass${time}`
    : cell.verdict === "not-tested"
      ? "–"
      : cell.verdict.toUpperCase();
}

function formatMatrix(segments: readonly VerifiedSegmentResource[]): string {
  const flows = [...new Set(segments.flatMap(({ cells }) => cells.map(({ flow }) => flow)))];
  const rows = flows.map((flow) => [
    flow,
    ...segments.map(({ cells }) => formatCell(cells.find((cell) => cell.flow === flow))),
  ]);
  return formatTable(["flow", ...segments.map(({ segment }) => segment)], rows);
}

function formatFault(cell: CellResource): string {
  const lines = [
    `${cell.flow} in ${cell.segment} is ${cell.verdict}`,
    `  seen    ${printable(cell.evidence)}`,
    ...(cell.cause === null ? [] : [`  cause   ${printable(cell.cause)}`]),
    ...(cell.remedy === null
      ? []
      : cell.remedy
          .split("\n")
          .map((line, index) => `${index === 0 ? "  remedy  " : "          "}${printable(line)}`)),
  ];
  return lines.join("\n");
}

function formatProber(verified: VerifiedSegmentResource): string {
  const { segment, cidr, prober, durationMs, cells } = verified;
  if (prober === null) {
    const [cell] = cells;
    return `${segment} (${cidr}): not tested, ${printable(cell?.evidence ?? "it needs nothing")}\n  ${cell?.remedy ?? ""}`;
  }
  const where = `${printable(prober.name)}, seen as ${prober.address}, in ${prober.environment}`;
  return `${segment} (${cidr}): tried by ${where}, in ${(durationMs / 1000).toFixed(0)} s`;
}

/** Nothing wrong is only said of what was tried. */
function formatSummary(
  segments: readonly VerifiedSegmentResource[],
  faults: readonly CellResource[],
): string {
  const namesOf = (some: readonly VerifiedSegmentResource[]): string =>
    some.map(({ segment }) => segment).join(", ");
  const tried = segments.filter(({ prober }) => prober !== null);
  const untried = segments.filter(({ prober }) => prober === null);
  if (tried.length === 0) {
    return segments.length === 0
      ? "nothing was tested: no segment needs anything (portolan segment list)"
      : `nothing was tested in ${namesOf(untried)}`;
  }
  const found =
    faults.length === 0
      ? `no faults in ${namesOf(tried)}`
      : `${faults.length} fault${faults.length === 1 ? "" : "s"}: ${faults.map(({ flow, segment }) => `${flow} in ${segment}`).join(", ")}`;
  return untried.length === 0 ? found : `${found}; not tested: ${namesOf(untried)}`;
}

/** What is wrong beside flows that do not pass, such as checksums or a second DHCP server. */
function formatFindingCount(
  segments: readonly VerifiedSegmentResource[],
  findings: readonly FindingResource[],
): string[] {
  const kinds = findings.flatMap(({ kind, subject }) =>
    subject.type === "segment" && segments.some(({ segment }) => segment === subject.name) ? [kind] : [],
  );
  return kinds.length === 0
    ? []
    : [`also found: ${[...new Set(kinds)].join(", ")}; portolan plan findings says what to do`];
}

/** Segments by flows, then every fault with what was seen, why, and the line that mends it. */
export function formatVerification(
  segments: readonly VerifiedSegmentResource[],
  findings: readonly FindingResource[] = [],
): string {
  const cells = segments.flatMap((verified) => verified.cells);
  const faults = cells.filter(isFaulty);
  const untested = cells.filter(
    ({ verdict, segment }) =>
      verdict === "not-tested" &&
      segments.some((other) => other.segment === segment && other.prober !== null),
  );
  return [
    ...segments.map(formatProber),
    "",
    formatMatrix(segments),
    ...faults.flatMap((cell) => ["", formatFault(cell)]),
    ...(untested.length === 0 ? [] : ["", "not tested:"]),
    ...untested.map(({ flow, segment, evidence }) => `  ${flow} in ${segment}: ${printable(evidence)}`),
    "",
    formatSummary(segments, faults),
    ...formatFindingCount(segments, findings),
  ].join("\n");
}
