import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { Flow } from "../flow.ts";
import type { LintFinding } from "./finding.ts";

const groupsMend = "portolan settings set imaging.groups 239.192.2.2-239.192.2.3";
const discoveryMend = "portolan settings set discovery.group 239.192.2.1";

function mendOf(flow: Flow): string {
  return flow.id === "agent.discovery" ? discoveryMend : groupsMend;
}

function isIn(group: Ipv4Address, cidr: string): boolean {
  const [address = "", length = ""] = cidr.split("/");
  return Ipv4Address.isInside(group, { address: Ipv4Address.parse(address), prefixLength: Number(length) });
}

/** An Ethernet address keeps the last 23 bits of a group. RFC 1112 §6.4 */
function macBits(group: Ipv4Address): number {
  return Ipv4Address.toNumber(group) & 0x7fffff;
}

function macOf(group: Ipv4Address): string {
  const bits = macBits(group);
  const octets = [1, 0, 0x5e, (bits >>> 16) & 0x7f, (bits >>> 8) & 0xff, bits & 0xff];
  return octets.map((octet) => octet.toString(16).padStart(2, "0")).join(":");
}

/** Groups that switches or routers treat so that nothing works, or everybody is disturbed. */
function lintGroup(flow: Flow, group: Ipv4Address): LintFinding[] {
  const about = { severity: "fault", subject: group, flows: [flow.id], mend: mendOf(flow) } as const;
  if (isIn(group, "224.0.0.0/24")) {
    return [
      {
        ...about,
        code: "group-link-local",
        what: `${group} is a link-local group.`,
        why: "No router forwards 224.0.0.0/24, whatever the TTL, and no switch prunes it (RFC 5771 section 4).",
      },
    ];
  }
  // x.0.0.y and x.128.0.y have the Ethernet addresses of 224.0.0.0/24.
  if (macBits(group) < 256) {
    return [
      {
        ...about,
        code: "group-flooded",
        what: `${group} has the Ethernet address ${macOf(group)}, which is that of a link-local group.`,
        why: "Switches flood these addresses to every port even with IGMP snooping, so an image would reach every machine of the segment.",
      },
    ];
  }
  if (isIn(group, "232.0.0.0/8")) {
    return [
      {
        ...about,
        code: "group-source-specific",
        what: `${group} is in the range of source-specific multicast.`,
        why: "Routers deliver 232.0.0.0/8 only to receivers that name the source when they join; ours join the group from any source (RFC 4607 section 4).",
      },
    ];
  }
  return [];
}

/** Who a group belongs to when it is not free for private use. RFC 5771, RFC 2365 */
const foreignRanges = [
  { cidr: "224.0.1.0/24", owner: "control protocols between networks" },
  { cidr: "224.2.0.0/16", owner: "session announcements of the multicast backbone (SDP/SAP)" },
  { cidr: "224.0.0.0/8", owner: "protocols that IANA has registered" },
  { cidr: "233.0.0.0/8", owner: "owners of autonomous system numbers (GLOP)" },
  { cidr: "234.0.0.0/8", owner: "owners of unicast prefixes (RFC 6034)" },
  { cidr: "239.0.0.0/8", owner: null },
  { cidr: "224.0.0.0/4", owner: "nobody yet: IANA has reserved them" },
] as const;

function ownerOf(group: Ipv4Address): string | null {
  return foreignRanges.find(({ cidr }) => isIn(group, cidr))?.owner ?? null;
}

/** One finding for all of them: the paper's own groups are such, and work. */
function lintForeign(flows: readonly Flow[]): LintFinding[] {
  const foreign = flows.flatMap((flow) =>
    flow.groups
      .filter((group) => ownerOf(group) !== null && !isIn(group, "232.0.0.0/8"))
      .map((group) => ({ flow, group, owner: ownerOf(group) })),
  );
  const [first] = foreign;
  if (first === undefined) {
    return [];
  }
  const groups = [...new Set(foreign.map(({ group }) => group))];
  const owners = [...new Set(foreign.map(({ owner }) => owner))];
  return [
    {
      code: "group-foreign",
      severity: "note",
      subject: groups.join(", "),
      flows: [...new Set(foreign.map(({ flow }) => flow.id))],
      what: `${groups.join(", ")}: not from 239.0.0.0/8, the range for private use.`,
      why: `These addresses belong to ${owners.join("; and to ")}. Inside one site they work, as they did in 2002; where multicast reaches other networks they may meet.`,
      mend: groups.length === 1 ? mendOf(first.flow) : `${groupsMend}; ${discoveryMend}`,
    },
  ];
}

function lintSharedMacs(flows: readonly Flow[]): LintFinding[] {
  const entries = flows.flatMap((flow) => flow.groups.map((group) => ({ flow, group })));
  return entries.flatMap(({ flow, group }, index) =>
    entries
      .slice(0, index)
      .filter((other) => other.group !== group && macBits(other.group) === macBits(group))
      .slice(0, 1)
      .map((other) => ({
        code: "groups-share-mac" as const,
        severity: "fault" as const,
        subject: `${other.group}, ${group}`,
        flows: [...new Set([other.flow.id, flow.id])],
        what: `${other.group} and ${group} have the same Ethernet address ${macOf(group)}.`,
        why: "Switches and network cards tell groups by their last 23 bits alone, so who wants one gets both and must throw half of it away.",
        mend: mendOf(flow),
      })),
  );
}

/** A group that serves discovery and imaging wakes every agent with each block. Sessions share groups by design. */
function lintSharedGroups(flows: readonly Flow[]): LintFinding[] {
  const discovery = flows.find(({ id }) => id === "agent.discovery");
  const imaging = flows.find(({ id }) => id === "imaging.data");
  const shared = imaging?.groups.filter((group) => discovery?.groups.includes(group) === true) ?? [];
  return shared.map((group) => ({
    code: "group-in-two-flows",
    severity: "fault",
    subject: group,
    flows: ["agent.discovery", "imaging.data"],
    what: `${group} is the group of server discovery and of imaging.`,
    why: "The server listens on it all the time and would be given every block of every image.",
    mend: discoveryMend,
  }));
}

/** Everything about group addresses; `flows` are those that are on and have groups. */
export function lintGroups(flows: readonly Flow[]): LintFinding[] {
  return [
    ...flows.flatMap((flow) => flow.groups.flatMap((group) => lintGroup(flow, group))),
    ...lintSharedMacs(flows),
    ...lintSharedGroups(flows),
    ...lintForeign(flows),
  ].filter(isFirst);
}

/** Imaging and multicast TFTP have the same groups: once is enough. */
function isFirst(finding: LintFinding, index: number, all: readonly LintFinding[]): boolean {
  return all.findIndex(({ code, subject }) => code === finding.code && subject === finding.subject) === index;
}
