import type { SessionResource } from "#api/session-api.ts";
import type { Scope } from "../accounts/scope.ts";
import type { ApiHandlers } from "../api-server.ts";
import { ApiError } from "../api-error.ts";
import type { SessionRecord } from "../imaging-record.ts";
import type { PortolanServer } from "../server.ts";

function toSession(record: SessionRecord, nowMs: number, scope: Scope): SessionResource {
  const isShown = ({ computerId }: { readonly computerId: string }): boolean => scope.hasComputer(computerId);
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
    fetched: record.fetched,
    receivers: record.receipts.filter(isShown),
    movedToUnicast: record.movedToUnicast.filter(isShown),
  };
}

export function sessionHandlers(server: PortolanServer) {
  const { clock, imaging } = server;
  const isSeen = (scope: Scope, { computerIds }: SessionRecord): boolean =>
    scope.groupIds === null || [...computerIds].some((id) => scope.hasComputer(id));
  const change = async (
    { id, scope }: { readonly id: string; readonly scope: Scope },
    work: (sessionId: number) => Promise<SessionRecord | null>,
  ): Promise<SessionResource> => {
    const found = imaging.list().find((record) => record.id === Number(id));
    scope.requireComputers(found?.computerIds ?? []);
    const record = await work(Number(id));
    if (record === null) {
      throw new ApiError(404, "not-found", `no session ${id} is running; portolan session list shows them`);
    }
    return toSession(record, clock.epochMs(), scope);
  };
  return {
    listSessions: async ({ scope }) =>
      imaging
        .list()
        .filter((record) => isSeen(scope, record))
        .map((record) => toSession(record, clock.epochMs(), scope)),
    pauseSession: async (input) => change(input, (id) => imaging.setPaused(id, true)),
    resumeSession: async (input) => change(input, (id) => imaging.setPaused(id, false)),
    cancelSession: async (input) => change(input, (id) => imaging.cancel(id, input.principal.name)),
  } satisfies Partial<ApiHandlers>;
}
