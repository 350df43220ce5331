import type { Flow, FlowId } from "#plan/flow.ts";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings, type Settings } from "#plan/settings.ts";

/** A flow as the server's order describes it: what is probed is opened from the same table as the traffic itself. */
export function flowWith(id: FlowId, settings: Partial<Settings>): Flow {
  return findFlow(computeFlows({ ...classicSettings, ...settings }, { consolePort: 8443 }), id);
}
