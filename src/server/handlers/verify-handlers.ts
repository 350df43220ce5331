import type { VerifiedSegmentResource } from "#api/verify-api.ts";
import { faultyVerdicts } from "#engine/verify/verdict.ts";
import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";
import type { VerifiedSegment } from "../verify/verify-service.ts";

function toResource(verified: VerifiedSegment): VerifiedSegmentResource {
  const { segment, prober, atMs, durationMs, cells } = verified;
  return {
    segment: segment.name,
    cidr: Ipv4Subnet.format(segment.cidr),
    intent: segment.intent,
    at: atMs,
    durationMs,
    prober,
    cells: [...cells],
  };
}

export function verifyHandlers(server: PortolanServer) {
  const { verify, operations } = server;
  return {
    verifyPlan: async ({ body }) => {
      const segments = verify.choose(body.segment ?? null);
      return operations.start(`verify ${body.segment ?? "every segment"}`, async (report) => {
        const verified = await verify.verify(segments, report);
        const faults = verified.flatMap(({ cells }) =>
          cells.filter(({ verdict }) => faultyVerdicts.has(verdict)),
        );
        return { result: verified.map(toResource), detail: `${faults.length} faults` };
      });
    },
    listVerdicts: async () => verify.latest().map(toResource),
  } satisfies Partial<ApiHandlers>;
}
