import type { AgentStateResource, ComputerEventResource } from "#api/agent-api.ts";
import { hashPassword } from "#platform/password-hash.ts";
import type { StoredComputerEvent } from "#store/computer-event-store.ts";
import type { AgentSettingsChange } from "#wire/control/agent-settings.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

type GivenChange = Parameters<ApiHandlers["changeAgentSettings"]>[0]["body"]["change"];

function toEvent(event: StoredComputerEvent): ComputerEventResource {
  const { atMs, computerId, kind, detail } = event;
  return { at: atMs, computerId, kind, detail };
}

async function readChange(given: GivenChange): Promise<AgentSettingsChange> {
  const { lockPassword, server, discoveryGroup, ...plain } = given;
  if (discoveryGroup !== undefined && !Ipv4Address.isMulticast(Ipv4Address.parse(discoveryGroup))) {
    throw new ApiError(400, "bad-request", `discoveryGroup: ${discoveryGroup} is no multicast group`);
  }
  return {
    ...Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)),
    ...(server === undefined ? {} : { server: server === null ? null : Ipv4Address.parse(server) }),
    ...(discoveryGroup === undefined ? {} : { discoveryGroup: Ipv4Address.parse(discoveryGroup) }),
    ...(lockPassword === undefined
      ? {}
      : { lock: lockPassword === null ? null : await hashPassword(lockPassword) }),
  };
}

export function agentHandlers(server: PortolanServer) {
  const { registry, management } = server;
  return {
    showAgentSettings: async ({ id }): Promise<AgentStateResource> => {
      const { id: computerId, name } = registry.require(id);
      const { settings, isLocked, change } = management.agentSettings.find(computerId);
      return {
        computerId,
        name,
        settings,
        isLocked,
        change: change === null ? null : { ...change, sentAtMs: Math.round(change.sentAtMs) },
      };
    },
    changeAgentSettings: async ({ body }) => {
      const computers = body.computers.map((word) => registry.require(word));
      const change = await readChange(body.change);
      if (Object.keys(change).length === 0) {
        throw new ApiError(400, "bad-request", "no setting is named");
      }
      const { returnAfterMs } = body;
      return Promise.all(
        computers.map(async ({ id, name }) => {
          const sent = await management.agentSettings.send(id, { change, returnAfterMs });
          return sent.outcome === "sent"
            ? { computerId: id, name, changeId: sent.changeId, reason: null }
            : { computerId: id, name, changeId: null, reason: sent.reason };
        }),
      );
    },
    listComputerHistory: async ({ id }) =>
      (await management.history.list(registry.require(id).id)).map(toEvent),
    listHistory: async () => (await management.history.list(null)).map(toEvent),
  } satisfies Partial<ApiHandlers>;
}
