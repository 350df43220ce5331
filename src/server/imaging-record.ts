import { decodeManifest, type Manifest } from "#engine/image/manifest.ts";
import type { GroupPort } from "#engine/multicast/allocate-pair.ts";
import type { LeftReason } from "#engine/multicast/pace.ts";
import { fromRanges, type Ranges } from "#wire/control/imaging-messages.ts";
import type { ChunkStore } from "./chunk-store.ts";
import type { Receipt, Transmission } from "./imaging-session.ts";
import type { ControlLink } from "./services/control-service.ts";

/** A receiver's control connection, as far as a session needs it. */
export type ReceiverLink = Pick<ControlLink, "computerId" | "serverAddress" | "interfaceName" | "send">;

/** A computer that a job has sent to a session. */
export type Participant = {
  readonly computerId: string;
  readonly taskKey: string;
  /** What it lacks; `null` until its agent has said so. */
  wanted: Ranges | null;
  ticket: string | null;
  isUnicast: boolean;
  /** Why it must not wait for the multicast; `null`: it may. */
  readonly unicastReason: string | null;
};

export type SessionRecord = {
  readonly id: number;
  readonly sessionKey: string;
  readonly imageId: string;
  imageName: string;
  /** `fetching`: what it sends comes from another server of the site first. */
  state: "fetching" | "gathering" | "waiting-for-group" | "sending" | "ended";
  pair: GroupPort | null;
  /** Who was ever sent to it. BOUNDED by the computers of the job. */
  readonly computerIds: Set<string>;
  joined: number;
  expected: number;
  sentBytes: number;
  copyBytes: number;
  startedAtMs: number | null;
  endedAtMs: number | null;
  /** Chunks that came from another server, and how many had to; `null` while nothing had to. */
  fetched: { readonly doneCount: number; readonly totalCount: number } | null;
  /** By an operator: nothing is sent until it is resumed. */
  isPaused: boolean;
  /** What its receivers say of the datagrams, while it is sent by multicast and after. */
  receipts: readonly Receipt[];
  readonly movedToUnicast: { computerId: string; reason: string }[];
};

export type Session = {
  readonly record: SessionRecord;
  readonly manifestText: string;
  readonly manifest: Manifest;
  readonly chunkHashes: ReadonlySet<string>;
  /** Keyed by computer id. BOUNDED by the computers of the job. */
  readonly participants: Map<string, Participant>;
  transmission: Transmission | null;
  isTimeOver: boolean;
  /** Resolves when everything is in this server's store; false: it cannot be had, and the session has ended. */
  whenComplete: Promise<boolean>;
  cancelTimer: () => void;
};

/** Why a computer went on by unicast, for people. */
export const leftReasonTexts: Readonly<Record<LeftReason, string>> = {
  done: "it has everything",
  failed: "it gave up",
  silent: "it reported nothing for 10 s",
  "too-slow": "it held the others up, or lost much that they did not",
};

/** How far a transmission is, for those who look at its record. */
export function noteProgress(record: SessionRecord, { sentBytes, receipts }: Transmission): void {
  record.sentBytes = sentBytes;
  record.receipts = receipts;
}

const endedCountMax = 100;

/** Ended sessions beyond the newest hundred are dropped. */
export function forgetOldest(records: SessionRecord[]): void {
  while (records.filter((record) => record.state === "ended").length > endedCountMax) {
    records.splice(
      records.findIndex((record) => record.state === "ended"),
      1,
    );
  }
}

/** Who has heard no multicast and fetches for itself: the session says so, and sends nothing for its sake any more. */
export function noteAlone(session: Session, computerId: string, taskKey: string): void {
  const participant = session.participants.get(computerId);
  if (participant?.taskKey === taskKey && !participant.isUnicast) {
    participant.isUnicast = true;
    session.record.movedToUnicast.push({ computerId, reason: "no multicast reached it" });
    session.transmission?.remove(computerId);
  }
}

/** On count or on time, whichever comes first. @param startCount 0 for all that are expected */
export function isDueToStart({ record, participants, isTimeOver }: Session, startCount: number): boolean {
  // Who fetches alone is not waited for.
  const aloneCount = countAlone(participants);
  const expected = record.expected - aloneCount;
  const joined = record.joined - aloneCount;
  const needed = startCount === 0 ? expected : Math.min(startCount, expected);
  const isOpen = record.state === "gathering" || record.state === "waiting-for-group";
  return isOpen && !record.isPaused && joined > 0 && (joined >= needed || isTimeOver);
}

/** Participants that do not wait for the others, nor the others for them. */
function countAlone(participants: Session["participants"]): number {
  return [...participants.values()].filter(({ isUnicast }) => isUnicast).length;
}

/** A session that begins to gather. @throws ManifestError */
export function createSession(
  id: number,
  sessionKey: string,
  imageId: string,
  manifestText: string,
): Session {
  const manifest = decodeManifest(manifestText);
  return {
    record: {
      id,
      sessionKey,
      imageId,
      imageName: manifest.name,
      state: "fetching",
      pair: null,
      computerIds: new Set(),
      joined: 0,
      expected: 0,
      sentBytes: 0,
      copyBytes: 0,
      startedAtMs: null,
      endedAtMs: null,
      fetched: null,
      isPaused: false,
      receipts: [],
      movedToUnicast: [],
    },
    manifestText,
    manifest,
    chunkHashes: new Set(manifest.chunks.filter((chunkHash) => chunkHash !== null)),
    participants: new Map(),
    transmission: null,
    isTimeOver: false,
    whenComplete: Promise.resolve(true),
    cancelTimer: () => undefined,
  };
}

/** Bytes of one copy of what at least one of them lacks, as stored; 0 while some of it is still coming. */
export async function measureCopy(
  chunks: ChunkStore,
  manifest: Manifest,
  participants: readonly Participant[],
): Promise<number> {
  const wanted = new Set(
    participants.flatMap(({ wanted: ranges }) => [...fromRanges(ranges ?? [], manifest.chunks.length)]),
  );
  let sizeBytes = 0;
  for (const index of wanted) {
    const chunkHash = manifest.chunks[index] ?? null;
    if (chunkHash !== null && chunks.isExpected(chunkHash)) {
      return 0;
    }
    sizeBytes += chunkHash === null ? 0 : await chunks.frameSize(chunkHash);
  }
  return sizeBytes;
}
