import type { SessionResource } from "#api/session-api.ts";
import type { ApiHandlers } from "../api-server.ts";
import { ApiError } from "../api-error.ts";
import type { SessionRecord } from "../imaging-record.ts";
import type { PortolanServer } from "../server.ts";

function toSession(record: SessionRecord, nowMs: number): SessionResource {
  const elapsedMs = record.startedAtMs === null ? 0 : (record.endedAtMs ?? nowMs) - record.startedAtMs;
  return {
    id: record.id,
    imageId: record.imageId,
    imageName: record.imageName,
    group: record.pair?.group ?? null,
    port: record.pair?.port ?? null,
    state: record.isPaused && record.state !== "ended" ? "paused" : record.state,
    joined: record.joined,
    expected: record.expected,
    sentBytes: record.sentBytes,
    copyBytes: record.copyBytes,
    rateBytesPerSecond: elapsedMs === 0 ? 0 : Math.round((record.sentBytes * 1000) / elapsedMs),
    receivers: [...record.receipts],
    movedToUnicast: record.movedToUnicast,
  };
}

export function sessionHandlers(server: PortolanServer) {
  const { clock, imaging } = server;
  const answer = (id: string, record: SessionRecord | null): SessionResource => {
    if (record === null) {
      throw new ApiError(404, "not-found", `no session ${id} is running; portolan session list shows them`);
    }
    return toSession(record, clock.epochMs());
  };
  return {
    listSessions: async () => imaging.list().map((record) => toSession(record, clock.epochMs())),
    pauseSession: async ({ id }) => answer(id, await imaging.setPaused(Number(id), true)),
    resumeSession: async ({ id }) => answer(id, await imaging.setPaused(Number(id), false)),
    cancelSession: async ({ id, principal }) => answer(id, await imaging.cancel(Number(id), principal.name)),
  } satisfies Partial<ApiHandlers>;
}
