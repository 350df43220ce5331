import type { PlanResource } from "#api/plan-api.ts";
import type { Flow } from "#plan/flow.ts";
import type { Segment } from "#plan/segment.ts";
import type { OpenSocket } from "#platform/network.ts";
import { toSegmentResource } from "./handlers/segment-handlers.ts";

/** The plan as it is now: flows, the sockets that are open for them, and where the two disagree. */
export function reportPlan(given: {
  readonly flows: readonly Flow[];
  readonly sockets: readonly OpenSocket[];
  readonly segments: readonly Segment[];
  readonly profile: string;
  readonly serverName: string;
  readonly differences: readonly string[];
  readonly others: PlanResource["others"];
  readonly nowMs: number;
}): PlanResource {
  const { flows, sockets } = given;
  return {
    generatedAt: Math.round(given.nowMs),
    profile: given.profile,
    server: given.serverName,
    segments: given.segments.map(toSegmentResource),
    flows: flows.map((flow) => ({
      ...flow,
      to: [...flow.to],
      ports: "from" in flow.ports ? { ...flow.ports } : [...flow.ports],
      groups: [...flow.groups],
      intents: [...flow.intents],
      sockets: sockets
        .filter((socket) => socket.flowId === flow.id)
        .map((socket) => ({
          interface: socket.interfaceName,
          address: socket.localAddress,
          port: socket.localPort,
          groups: [...socket.groups],
        })),
    })),
    differences: [...given.differences],
    others: given.others,
  };
}
