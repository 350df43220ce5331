import type { MacAddress } from "#wire/address/mac-address.ts";

/** What is wrong, in a word that never changes. */
export type FindingKind =
  /** The first packet of a boot comes late: the switch port was not forwarding yet. */
  | "spanning-tree-delay"
  /** Our answer took longer than firmware waits. */
  | "late-boot-answer"
  /** Firmware asks again and again although it was offered something. */
  | "boot-offer-not-taken"
  | "relay-without-giaddr"
  | "relay-not-listed"
  /** Addresses from outside the segment, or boot offers that are not ours. */
  | "rogue-dhcp-server"
  | "rogue-boot-server"
  /** Answers agents that look for their server, with a key that is not the site's. */
  | "rogue-discovery-server"
  | "several-dhcp-servers"
  | "dhcp-server-missing"
  | "duplicate-identity"
  | "bad-checksums"
  | "no-igmp-querier"
  | "path-mtu"
  | "ttl-too-small"
  | "port-open";

export type FindingSubject =
  | { readonly type: "segment"; readonly name: string }
  | { readonly type: "computer"; readonly mac: MacAddress };

/** Something that is wrong with a segment or a computer, named, with what was seen. */
export type Finding = {
  readonly kind: FindingKind;
  /** `fault`: something does not work. `warning`: it will, at some time. `notice`: worth knowing. */
  readonly severity: "fault" | "warning" | "notice";
  readonly subject: FindingSubject;
  readonly evidence: string;
  readonly cause: string;
  readonly remedy: string | null;
};

export function findingKey(finding: Pick<Finding, "kind" | "subject">): string {
  const { subject } = finding;
  return `${finding.kind}/${subject.type}/${subject.type === "segment" ? subject.name : subject.mac}`;
}

/** The kinds that a verification looks for: what it does not find any more is over. */
export const verifiedKinds: readonly FindingKind[] = [
  "rogue-dhcp-server",
  "rogue-boot-server",
  "several-dhcp-servers",
  "dhcp-server-missing",
  "relay-without-giaddr",
  "relay-not-listed",
  "bad-checksums",
  "no-igmp-querier",
  "path-mtu",
  "ttl-too-small",
  "port-open",
];
