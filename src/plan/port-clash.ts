import type { Flow, FlowId } from "./flow.ts";
import { fixedPorts } from "./socket-grant.ts";

/** Two flows a server would have to listen for on one TCP port. */
export type PortClash = { readonly port: number; readonly flowIds: readonly [FlowId, FlowId] };

/** The first port that two of the server's own TCP listeners want, or `null`. */
export function findPortClash(flows: readonly Flow[]): PortClash | null {
  const taken = new Map<number, FlowId>();
  for (const flow of flows) {
    const listens = flow.serverSocket !== "none" && flow.carrier === null;
    if (flow.transport !== "tcp" || flow.state === "off" || !listens) {
      continue;
    }
    for (const port of fixedPorts(flow)) {
      const other = taken.get(port);
      if (other !== undefined) {
        return { port, flowIds: [other, flow.id] };
      }
      taken.set(port, flow.id);
    }
  }
  return null;
}
