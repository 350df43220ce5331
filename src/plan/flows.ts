import { computeBootFileFlows, computeDhcpFlows } from "./boot-flows.ts";
import { computeAgentFlows, computeWakeFlows, computeWorkFlows } from "./computer-flows.ts";
import { unicast } from "./flow-parts.ts";
import type { Flow, FlowId } from "./flow.ts";
import type { DiscoveryPlace, Settings } from "./settings.ts";
import { GrantError } from "./socket-grant.ts";

/** What a server's plan depends on beside its settings. */
export type ServerFacts = {
  readonly consolePort: number;
  /** What was replaced by a staged change, open until every agent has moved. */
  readonly oldControlPorts?: readonly number[];
  readonly oldDiscovery?: readonly DiscoveryPlace[];
};

function computeOperatorFlows(consolePort: number): Flow[] {
  return [
    {
      ...unicast,
      id: "console.https",
      title: "Console and API",
      purpose: "Administrators reach the API, and the command line talks to its server, over HTTPS.",
      needed: "while somebody uses the console, the command line or the API",
      from: "operator",
      to: ["server"],
      transport: "tcp",
      ports: [consolePort],
      state: "on",
      origin: "ours",
      intents: [],
      serverSocket: "standing",
    },
  ];
}

/** All flows of a server, computed from its settings: the one table that every socket is opened from. */
export function computeFlows(settings: Settings, server: ServerFacts): Flow[] {
  return [
    ...computeDhcpFlows(settings),
    ...computeBootFileFlows(settings),
    ...computeAgentFlows(settings, {
      ports: server.oldControlPorts ?? [],
      discovery: server.oldDiscovery ?? [],
    }),
    ...computeWorkFlows(settings),
    ...computeWakeFlows(settings),
    ...computeOperatorFlows(server.consolePort),
  ];
}

/** @throws GrantError when the plan has no such flow: nothing may be opened for it */
export function findFlow(flows: readonly Flow[], id: FlowId): Flow {
  const flow = flows.find((candidate) => candidate.id === id);
  if (flow === undefined) {
    throw new GrantError(id, "it is not in the plan");
  }
  return flow;
}
