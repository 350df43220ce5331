import type { SessionResource } from "#api/session-api.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

function toSession(
  record: ReturnType<PortolanServer["imaging"]["list"]>[number],
  nowMs: number,
): SessionResource {
  const elapsedMs = record.startedAtMs === null ? 0 : (record.endedAtMs ?? nowMs) - record.startedAtMs;
  return {
    id: record.id,
    imageId: record.imageId,
    imageName: record.imageName,
    group: record.pair?.group ?? null,
    port: record.pair?.port ?? null,
    state: record.state,
    joined: record.joined,
    expected: record.expected,
    sentBytes: record.sentBytes,
    copyBytes: record.copyBytes,
    rateBytesPerSecond: elapsedMs === 0 ? 0 : Math.round((record.sentBytes * 1000) / elapsedMs),
    movedToUnicast: record.movedToUnicast,
  };
}

export function sessionHandlers(server: PortolanServer) {
  const { clock } = server;
  return {
    listSessions: async () => server.imaging.list().map((record) => toSession(record, clock.epochMs())),
  } satisfies Partial<ApiHandlers>;
}
