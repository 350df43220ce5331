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
  state: "gathering" | "waiting-for-group" | "sending" | "ended";
  pair: GroupPort | null;
  joined: number;
  expected: number;
  sentBytes: number;
  copyBytes: number;
  startedAtMs: number | null;
  endedAtMs: number | null;
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

/** Participants that do not wait for the others, nor the others for them. */
export function countAlone(session: Session): number {
  return [...session.participants.values()].filter(({ isUnicast }) => isUnicast).length;
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
      state: "gathering",
      pair: null,
      joined: 0,
      expected: 0,
      sentBytes: 0,
      copyBytes: 0,
      startedAtMs: null,
      endedAtMs: null,
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
    cancelTimer: () => undefined,
  };
}

/** Bytes of one copy of what at least one of them lacks, as stored. */
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
    sizeBytes += chunkHash === null ? 0 : await chunks.frameSize(chunkHash);
  }
  return sizeBytes;
}
