import type { FlowPorts } from "./flow.ts";
import type { PortRange } from "./settings.ts";

/** IANA's dynamic range starts later, but stacks choose from 1024 up; the paper says "above 1024". */
export const dynamicPorts = { from: 1025, to: 65535 } as const;

/** `fixedPort` 0 means dynamic, within `range` where the site has set one. */
export function chosenPorts(
  fixedPort: number,
  range: PortRange,
): { readonly ports: FlowPorts; readonly dynamic: boolean } {
  return fixedPort === 0
    ? { ports: range ?? dynamicPorts, dynamic: true }
    : { ports: [fixedPort], dynamic: false };
}

/** What most flows share: no group, ports of a standard, no socket but what the flow says. */
export const unicast = {
  groups: [],
  ttl: null,
  sourcePorts: null,
  dynamic: false,
  setting: null,
  carrier: null,
  serverSocket: "none",
  agentSocket: "none",
} as const;

export const imagingOnly = { intents: ["imaging"] } as const;
export const allManaged = { intents: ["imaging", "management"] } as const;
