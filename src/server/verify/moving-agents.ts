import type { AgentState } from "#store/agent-store.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";

/** An agent that was told new settings and has not said what became of them: it leaves the server and finds it again. */
export type MovingAgent = {
  readonly computerId: string;
  readonly name: string;
  readonly address: Ipv4Address;
  /** Settings of the agent that change. */
  readonly changed: readonly string[];
};

/** A trial ends within a minute; whoever has not reported a while after that is gone and not on the way. */
const reportMsMax = 90_000;

/** What an agent is changing now; `null` when it is not. */
export function settingsOnTrial({ change }: Pick<AgentState, "change">, nowMs: number): string[] | null {
  return change?.outcome === "sent" && nowMs - change.sentAtMs < reportMsMax
    ? Object.keys(change.change)
    : null;
}

/** Who is on the way, as part of a sentence. */
export function describeMoving(agents: readonly MovingAgent[]): string {
  const [first] = agents;
  const others = agents.length > 1 ? ` and ${agents.length - 1} more` : "";
  return `agent ${first?.name}${others} ${agents.length > 1 ? "are" : "is"} reconnecting after the change of ${first?.changed.join(", ")}`;
}
