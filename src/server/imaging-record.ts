import type { Manifest } from "#engine/image/manifest.ts";
import type { GroupPort } from "#engine/multicast/allocate-pair.ts";
import { fromRanges, type Ranges } from "#wire/control/imaging-messages.ts";
import type { ChunkStore } from "./chunk-store.ts";
import type { Transmission } from "./imaging-session.ts";

/** A computer that a job has sent to a session. */
export type Participant = {
  readonly computerId: string;
  readonly taskKey: string;
  /** What it lacks; `null` until its agent has said so. */
  wanted: Ranges | null;
  ticket: string | null;
  isUnicast: boolean;
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
