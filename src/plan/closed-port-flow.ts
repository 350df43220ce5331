import { unicast } from "./flow-parts.ts";
import type { Flow } from "./flow.ts";

/**
 * What must not pass: the flow a prober's socket is cut from when it tries a port that no computer needs. It is in no
 * plan, so no exporter opens it.
 */
export function closedPortFlow(port: number): Flow {
  return {
    ...unicast,
    id: "verify.closed-port",
    title: "Closed port",
    purpose: "During verification an agent tries a port that must be closed, and expects no answer.",
    needed: "never",
    from: "agent",
    to: ["server"],
    transport: "tcp",
    ports: [port],
    state: "on",
    origin: "ours",
    intents: [],
    agentSocket: "passing",
  };
}
