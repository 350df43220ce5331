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

/** @param issuer the provider's address; checked by its setting */
function portOf(issuer: string): number {
  const { port, protocol } = new URL(issuer);
  return Number(port) || (protocol === "https:" ? 443 : 80);
}

function computeLoginFlows(settings: Settings): Flow[] {
  const issuer = settings["login.issuer"];
  return [
    {
      ...unicast,
      id: "login.provider",
      title: "Login provider",
      purpose: "The server asks the organisation's login provider (OpenID Connect) who somebody is.",
      needed: "while somebody logs in by the provider",
      from: "server",
      to: ["login-provider"],
      transport: "tcp",
      ports: [issuer === null ? 443 : portOf(issuer)],
      setting: "login.issuer",
      state: issuer === null ? "off" : "on",
      origin: "ours",
      intents: [],
      serverSocket: "passing",
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
    ...computeLoginFlows(settings),
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
