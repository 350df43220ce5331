import type { FlowId } from "../flow.ts";

/** `fault`: something will not work, or disturbs others. `warning`: it works and costs. `note`: good to know. */
export type LintSeverity = "fault" | "warning" | "note";

export type LintCode =
  | "group-link-local"
  | "group-flooded"
  | "groups-share-mac"
  | "group-source-specific"
  | "group-foreign"
  | "group-in-two-flows"
  | "ttl-too-small"
  | "ttl-too-large"
  | "port-clash"
  | "port-held"
  | "port-privileged"
  | "dynamic-through-router"
  | "segment-without-server-address"
  | "segment-without-relay";

/** Something about the settings that hurts, or may. */
export type LintFinding = {
  readonly code: LintCode;
  readonly severity: LintSeverity;
  /** What it is about: a group, a port, a segment. */
  readonly subject: string;
  readonly flows: readonly FlowId[];
  readonly what: string;
  readonly why: string;
  /** The command that mends it. */
  readonly mend: string;
};
