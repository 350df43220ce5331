import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

export function remoteHandlers(server: PortolanServer) {
  const { remote, recordings } = server.management;
  return {
    listRemoteSessions: async ({ scope }) => {
      const inside = remote.list().filter(({ facts }) => scope.hasComputer(facts.computerId));
      return inside.map(({ facts, viewerCount }) => {
        const { startedAtMs, ...rest } = facts;
        return {
          ...rest,
          viewerCount,
          computerName: server.registry.get(facts.computerId)?.name ?? facts.computerId,
          startedAt: Math.round(startedAtMs),
        };
      });
    },
    endRemoteSession: async ({ id, scope }) => {
      const session = remote.find(id);
      if (session === null) {
        throw new ApiError(404, "not-found", `there is no remote session ${id}`);
      }
      scope.requireComputers([session.facts.computerId]);
      session.end("an operator has ended it");
      return { ok: true as const };
    },
    listRecordings: async ({ scope }) =>
      (await recordings.list()).filter(({ computerId }) => scope.hasComputer(computerId)),
    showRecording: async ({ id, scope }) => {
      const known = (await recordings.list()).find((recording) => recording.id === id);
      const asciicast = await recordings.read(id);
      scope.requireComputers(known === undefined ? [] : [known.computerId]);
      if (known === undefined || asciicast === null) {
        throw new ApiError(404, "not-found", `there is no recording ${id} on this server`);
      }
      return { asciicast };
    },
  } satisfies Partial<ApiHandlers>;
}
