import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

export function remoteHandlers(server: PortolanServer) {
  const { remote, recordings } = server.management;
  return {
    listRemoteSessions: async () =>
      remote.list().map(({ facts, viewerCount }) => {
        const { startedAtMs, ...rest } = facts;
        return {
          ...rest,
          viewerCount,
          computerName: server.registry.get(facts.computerId)?.name ?? facts.computerId,
          startedAt: Math.round(startedAtMs),
        };
      }),
    endRemoteSession: async ({ id }) => {
      const session = remote.find(id);
      if (session === null) {
        throw new ApiError(404, "not-found", `there is no remote session ${id}`);
      }
      session.end("an operator has ended it");
      return { ok: true as const };
    },
    listRecordings: async () => recordings.list(),
    showRecording: async ({ id }) => {
      const asciicast = await recordings.read(id);
      if (asciicast === null) {
        throw new ApiError(404, "not-found", `there is no recording ${id} on this server`);
      }
      return { asciicast };
    },
  } satisfies Partial<ApiHandlers>;
}
