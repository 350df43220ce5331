import type { MacAddress } from "#wire/address/mac-address.ts";
import type { ComputerIdentity } from "./computer-identity.ts";
import { matchIdentity, type MatchConflict, type RecordedComputer } from "./match-identity.ts";

/** A computer on record, with what decides whether its agent is let in. */
export type EnrolmentRecord = RecordedComputer & {
  readonly state: "pending" | "approved" | "conflict";
  /** SHA-256 of the SPKI of the key its installed agent was given a certificate for, `null` before the first. */
  readonly osKeyFingerprint: string | null;
  /** When that key was enrolled, epoch ms. */
  readonly osKeyAtMs: number | null;
  /** The key an operator let in by approving the computer while it waited. */
  readonly approvedKeyFingerprint: string | null;
  /** When an image was last restored and verified, epoch ms. */
  readonly deployedAtMs: number | null;
  /** A job needs it in preboot now. */
  readonly hasPrebootWork: boolean;
  /** Since when an installer works on it that one of our jobs has started, epoch ms; `null`: none does. */
  readonly installingSinceMs: number | null;
};

export type EnrolmentRequest = {
  readonly identity: ComputerIdentity;
  readonly environment: "preboot" | "os";
  /** SHA-256 of the public key's SPKI, lower-case hex. Its proof of possession was checked by the caller. */
  readonly keyFingerprint: string;
  /**
   * What became of the boot token. `unknown-after-restart`: not known, but this server started so recently that
   * it may have issued the token in its last life.
   */
  readonly bootToken: "valid" | "absent" | "invalid" | "unknown-after-restart";
  /** What lets a computer in that no operator has looked at: a token it showed, or a window of time. */
  readonly invitation: "token" | "window" | null;
};

export type EnrolmentFacts = {
  /** Every record that shares a MAC or the UUID. */
  readonly candidates: readonly EnrolmentRecord[];
  readonly pendingCount: number;
};

export type Enrolment =
  | {
      readonly type: "enrolled";
      /** `null`: create the record, approved. */
      readonly computerId: string | null;
      readonly reason:
        | "boot-token"
        | "approved-key"
        | "known-key"
        | "just-deployed"
        | "just-installed"
        | "job-after-restart"
        | "enrolment-token"
        | "open-window";
      readonly certificateLifetimeMs: number;
      readonly newMacs: readonly MacAddress[];
    }
  | {
      readonly type: "pending";
      /** `null`: create the record, in the same transaction. */
      readonly computerId: string | null;
      readonly reason: "unknown-computer" | "awaits-approval" | "new-key";
      readonly newMacs: readonly MacAddress[];
    }
  | {
      readonly type: "held";
      readonly reason: MatchConflict | "held";
      readonly computerIds: readonly string[];
    }
  | { readonly type: "refused"; readonly reason: "no-identity" | "too-many-pending" };

/** An installed agent is let in without approval this long after its disk was restored. */
export const deploymentWindowMs = 30 * 60_000;
/** Bounds what strangers can put into the store. */
export const pendingCountMax = 10_000;
const prebootCertificateMs = 24 * 3_600_000;
const osCertificateMs = 365 * 24 * 3_600_000;

/** Decides whether a computer without a certificate gets one. MACs, UUID and serial are claims, never proof. */
export function decideEnrolment(request: EnrolmentRequest, facts: EnrolmentFacts, nowMs: number): Enrolment {
  const match = matchIdentity(request.identity, facts.candidates);
  switch (match.type) {
    case "nobody":
      return { type: "refused", reason: "no-identity" };
    case "conflict":
      return { type: "held", reason: match.conflict, computerIds: match.computerIds };
    case "new":
      if (request.invitation !== null) {
        return admitInvited(request, request.invitation, { id: null, newMacs: request.identity.macs });
      }
      return facts.pendingCount >= pendingCountMax
        ? { type: "refused", reason: "too-many-pending" }
        : { type: "pending", computerId: null, reason: "unknown-computer", newMacs: request.identity.macs };
    case "same": {
      const record = facts.candidates.find((candidate) => candidate.id === match.computerId);
      if (record === undefined || record.state === "conflict") {
        return { type: "held", reason: "held", computerIds: [match.computerId] };
      }
      return decideKnown(request, record, match, nowMs);
    }
  }
}

function decideKnown(
  request: EnrolmentRequest,
  record: EnrolmentRecord,
  match: { readonly isExact: boolean; readonly newMacs: readonly MacAddress[] },
  nowMs: number,
): Enrolment {
  const { newMacs } = match;
  if (record.state === "pending") {
    if (request.invitation !== null) {
      return admitInvited(request, request.invitation, { id: record.id, newMacs });
    }
    return { type: "pending", computerId: record.id, reason: "awaits-approval", newMacs };
  }
  const reason =
    request.keyFingerprint === record.approvedKeyFingerprint
      ? ("approved-key" as const)
      : request.environment === "preboot"
        ? prebootReason(request, record, match.isExact)
        : osReason(request, record, match.isExact, nowMs);
  if (reason === null) {
    return { type: "pending", computerId: record.id, reason: "new-key", newMacs };
  }
  return {
    type: "enrolled",
    computerId: record.id,
    reason,
    certificateLifetimeMs: request.environment === "preboot" ? prebootCertificateMs : osCertificateMs,
    newMacs,
  };
}

/** Only a computer that has never been approved: a token in the wrong hands must not become a known computer. */
function admitInvited(
  request: EnrolmentRequest,
  invitation: "token" | "window",
  { id, newMacs }: { readonly id: string | null; readonly newMacs: readonly MacAddress[] },
): Enrolment {
  return {
    type: "enrolled",
    computerId: id,
    reason: invitation === "token" ? "enrolment-token" : "open-window",
    certificateLifetimeMs: request.environment === "preboot" ? prebootCertificateMs : osCertificateMs,
    newMacs,
  };
}

function prebootReason(
  request: EnrolmentRequest,
  record: EnrolmentRecord,
  isExact: boolean,
): "boot-token" | "job-after-restart" | null {
  if (request.bootToken === "valid") {
    return "boot-token";
  }
  const forgotten = request.bootToken === "unknown-after-restart";
  return forgotten && isExact && record.hasPrebootWork ? "job-after-restart" : null;
}

/** One new key per deployment or installation: whoever comes second waits for an operator. */
function osReason(
  request: EnrolmentRequest,
  record: EnrolmentRecord,
  isExact: boolean,
  nowMs: number,
): "known-key" | "just-deployed" | "just-installed" | null {
  if (request.keyFingerprint === record.osKeyFingerprint) {
    return "known-key";
  }
  const { deployedAtMs, osKeyAtMs } = record;
  const isRecent = deployedAtMs !== null && nowMs - deployedAtMs <= deploymentWindowMs;
  const isUnused = deployedAtMs !== null && (osKeyAtMs === null || osKeyAtMs < deployedAtMs);
  if (isRecent && isUnused && isExact) {
    return "just-deployed";
  }
  const since = record.installingSinceMs;
  const isFirst = since !== null && (osKeyAtMs === null || osKeyAtMs < since);
  return isFirst && isExact ? "just-installed" : null;
}

/** The decision as a sentence for people, without names. */
export function describeEnrolment(enrolment: Enrolment): string {
  switch (enrolment.type) {
    case "enrolled":
      return enrolledSentences[enrolment.reason];
    case "pending":
      return pendingSentences[enrolment.reason];
    case "held":
      return heldSentences[enrolment.reason];
    case "refused":
      return enrolment.reason === "no-identity"
        ? "The computer shows neither a usable MAC address nor a UUID, so nothing tells it from others."
        : `${pendingCountMax} computers wait for approval already: approve or forget some first.`;
  }
}

const enrolledSentences = {
  "boot-token": "Approved, and booted from us a moment ago.",
  "approved-key": "An operator approved it while it waited.",
  "known-key": "Approved, with the key it had before.",
  "just-deployed": "Its disk was restored by us a moment ago.",
  "just-installed": "A job of ours has just installed its system.",
  "enrolment-token": "Showed an enrolment token.",
  "open-window": "Came while the enrolment window was open.",
  "job-after-restart": "Approved, with work in preboot; the server restarted during its boot.",
} as const;

const pendingSentences = {
  "unknown-computer": "Never seen before: waits for approval.",
  "awaits-approval": "Waits for approval.",
  "new-key":
    "Approved before, but came with a new key and without a boot or deployment of ours: approve it again.",
} as const;

const heldSentences = {
  "duplicate-uuid": "Another board shows the same UUID. Held until an operator says which one is meant.",
  "macs-of-several-computers": "Shows network cards of several computers. Held.",
  "mac-and-uuid-disagree": "Its MAC address belongs to one computer and its UUID to another. Held.",
  "uuid-changed":
    "Its MAC address is known with another UUID: a moved card, a shared dock or a new board. Held.",
  "serial-changed": "Its MAC address is known with another serial number. Held.",
  held: "Held because of an earlier conflict of identities.",
} as const;
