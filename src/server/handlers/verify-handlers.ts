import type { FindingResource, VerifiedSegmentResource } from "#api/verify-api.ts";
import { faultyVerdicts } from "#engine/verify/verdict.ts";
import type { StoredFinding } from "#store/finding-store.ts";
import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { ApiHandlers } from "../api-server.ts";
import { readExportFormat } from "../plan-exports.ts";
import type { PortolanServer } from "../server.ts";
import type { VerifiedSegment } from "../verify/verify-service.ts";

function toProber(prober: NonNullable<VerifiedSegment["prober"]>): VerifiedSegmentResource["prober"] {
  const { computerId, name, environment, address, serverAddress } = prober;
  return { computerId, name, environment, address, serverAddress };
}

function toResource(verified: VerifiedSegment): VerifiedSegmentResource {
  const { segment, prober, atMs, durationMs, cells } = verified;
  return {
    segment: segment.name,
    cidr: Ipv4Subnet.format(segment.cidr),
    intent: segment.intent,
    at: atMs,
    durationMs,
    prober: prober === null ? null : toProber(prober),
    cells: [...cells],
  };
}

export function toFinding(server: PortolanServer, finding: StoredFinding): FindingResource {
  const { kind, severity, subject, evidence, cause, remedy, seenCount } = finding;
  const computer =
    subject.type === "segment"
      ? undefined
      : server.registry.list().find(({ macs }) => macs.includes(subject.mac));
  return {
    ...{ kind, severity, subject, evidence, cause, remedy, seenCount },
    computerId: computer?.id ?? null,
    firstSeenAt: finding.firstSeenAtMs,
    lastSeenAt: finding.lastSeenAtMs,
  };
}

/** A segment without a prober says nothing, so no fault there is no pass. */
function summarise(verified: readonly VerifiedSegment[]): {
  readonly verdict: "pass" | "faults" | "not-tested";
  readonly detail: string;
} {
  const cells = verified.flatMap((segment) => segment.cells);
  const faultCount = cells.filter(({ verdict }) => faultyVerdicts.has(verdict)).length;
  if (faultCount > 0) {
    const found = faultCount === 1 ? "1 fault" : `${faultCount} faults`;
    return { verdict: "faults", detail: `${found} in ${cells.length} cells` };
  }
  const testedCount = verified.filter(({ prober }) => prober !== null).length;
  return testedCount === 0
    ? { verdict: "not-tested", detail: "nothing was tested" }
    : { verdict: "pass", detail: `no fault; tested ${testedCount} of ${verified.length} segments` };
}

export function verifyHandlers(server: PortolanServer) {
  const { verify, operations } = server;
  return {
    verifyPlan: async ({ body }) => {
      const segments = verify.choose(body.segment ?? null);
      const format = readExportFormat(body.format);
      return operations.start(`verify ${body.segment ?? "every segment"}`, async (report) => {
        const verified = await verify.verify(segments, format, report);
        return { result: verified.map(toResource), ...summarise(verified) };
      });
    },
    // Of a segment only the whole site is told: what was seen there may be anybody's.
    listFindings: async ({ scope }) =>
      server.findings
        .list()
        .map((finding) => toFinding(server, finding))
        .filter(({ computerId }) => scope.hasComputer(computerId)),
    listVerdicts: async ({ scope }) =>
      verify
        .latest()
        .filter(({ prober }) => scope.hasComputer(prober?.computerId ?? null))
        .map(toResource),
  } satisfies Partial<ApiHandlers>;
}
