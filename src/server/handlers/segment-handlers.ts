import type { SegmentResource } from "#api/segment-api.ts";
import type { Segment } from "#plan/segment.ts";
import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

export function toSegmentResource({ cidr, interfaceName, ...segment }: Segment): SegmentResource {
  return { ...segment, cidr: Ipv4Subnet.format(cidr), interface: interfaceName };
}

export function segmentHandlers({ segments }: PortolanServer) {
  return {
    listSegments: async () => segments.current().map(toSegmentResource),
    addSegment: async ({ body }) => toSegmentResource(await segments.add(body)),
    setSegment: async ({ id, body }) => toSegmentResource(await segments.set(id, body)),
    removeSegment: async ({ id }) => {
      await segments.remove(id);
      return { ok: true as const };
    },
  } satisfies Partial<ApiHandlers>;
}
