import { createHash } from "node:crypto";
import type { AgentStateResource, ComputerEventResource, EnrolmentTokenResource } from "#api/agent-api.ts";
import { hashPassword } from "#platform/password-hash.ts";
import type { StoredEnrolmentToken } from "#store/enrolment-store.ts";
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

function toToken({ id, name, usesLeft, expiresAtMs }: StoredEnrolmentToken): EnrolmentTokenResource {
  return { id, name, usesLeft, expiresAt: expiresAtMs };
}

export function enrolmentHandlers(server: PortolanServer) {
  const { registry, control, management } = server;
  const { enrolment, history } = management;
  return {
    listEnrolmentTokens: async () => (await enrolment.listTokens()).map(toToken),
    createEnrolmentToken: async ({ body }) => {
      const { token, stored } = await enrolment.createToken(body);
      return { ...toToken(stored), token };
    },
    removeEnrolmentToken: async ({ id }) => {
      if (!(await enrolment.removeToken(id))) {
        throw new ApiError(404, "not-found", `there is no enrolment token ${id}`);
      }
      return { ok: true as const };
    },
    showEnrolmentWindow: async () => ({ untilMs: await enrolment.windowUntilMs() }),
    openEnrolmentWindow: async ({ body }) => {
      await enrolment.openWindow(body.forMs);
      history.note(
        null,
        "enrolment",
        body.forMs === 0
          ? "the enrolment window is closed"
          : `the enrolment window is open for ${Math.round(body.forMs / 60_000)} min`,
      );
      await control.reconsider();
      return { untilMs: await enrolment.windowUntilMs() };
    },
    revokeComputer: async ({ id }) => {
      const computer = await registry.revoke(id);
      control.disconnect(computer.id);
      history.note(computer.id, "enrolment", "revoked by an operator");
      return { ok: true as const };
    },
  } satisfies Partial<ApiHandlers>;
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
    changeAgentSettings: async ({ body, scope }) => {
      const computers = body.computers.map((word) => registry.require(word));
      scope.requireComputers(computers.map(({ id }) => id));
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
    showAgentScript: async () => {
      const { agentDownloads } = management;
      const sha256 = createHash("sha256")
        .update(await agentDownloads.script())
        .digest("hex");
      return { sha256, port: server.config.consolePort, folder: agentDownloads.folder };
    },
    listComputerHistory: async ({ id }) =>
      (await management.history.list(registry.require(id).id)).map(toEvent),
    listHistory: async ({ scope }) => (await management.history.list(scope.groupIds)).map(toEvent),
  } satisfies Partial<ApiHandlers>;
}
