import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { Flow } from "../flow.ts";
import type { Segment } from "../segment.ts";
import type { Settings } from "../settings.ts";
import type { LintFinding, LintSeverity } from "./finding.ts";
import { lintGroups } from "./lint-groups.ts";
import { lintPorts, type PortHolder } from "./lint-ports.ts";

/** Routers between the server and a segment, where somebody has counted them. */
export type MeasuredHops = { readonly segmentName: string; readonly routerCount: number };

export type LintInput = {
  readonly flows: readonly Flow[];
  readonly settings: Settings;
  readonly segments: readonly Segment[];
  readonly holders: readonly PortHolder[];
  /** Empty: nothing was measured; a segment behind a router is then at least one away. */
  readonly hops: readonly MeasuredHops[];
};

/** A TTL this much above what is needed lets datagrams run further than anybody wants them. */
const ttlSlack = 8;

type Distance = { readonly name: string; readonly routerCount: number };

/** `segment far, which is 2 routers away`, nearest first. */
function describeUnreached(distances: readonly Distance[], ttl: number): string {
  return distances
    .filter(({ routerCount }) => routerCount >= ttl)
    .toSorted((left, right) => left.routerCount - right.routerCount)
    .map(
      ({ name, routerCount }) =>
        `segment ${name}, which is ${routerCount} router${routerCount === 1 ? "" : "s"} away`,
    )
    .join("; nor ");
}

function lintTtl(flow: Flow, { segments, hops }: LintInput): LintFinding[] {
  const { ttl, setting } = flow;
  if (ttl === null) {
    return [];
  }
  const reached = segments.filter(
    ({ interfaceName, intent }) => interfaceName === null && flow.intents.includes(intent),
  );
  const distances = reached.map(({ name }) => ({
    name,
    routerCount: hops.find(({ segmentName }) => segmentName === name)?.routerCount ?? 1,
  }));
  const [farthest] = distances.toSorted((left, right) => right.routerCount - left.routerCount);
  if (farthest === undefined) {
    return [];
  }
  const needed = farthest.routerCount + 1;
  const key = setting?.startsWith("discovery.") === true ? "discovery.ttl" : "imaging.ttl";
  const about = {
    subject: `TTL ${ttl}`,
    flows: [flow.id],
    mend: `portolan settings set ${key} ${needed}`,
  } as const;
  if (ttl < needed) {
    return [
      {
        ...about,
        code: "ttl-too-small",
        severity: "fault",
        what: `${flow.title}: TTL ${ttl} does not reach ${describeUnreached(distances, ttl)}.`,
        why: "Each router takes one from the TTL and forwards nothing at zero. Switches and hubs take none.",
      },
    ];
  }
  const isMeasured = reached.every(({ name }) => hops.some(({ segmentName }) => segmentName === name));
  return isMeasured && ttl > needed + ttlSlack
    ? [
        {
          ...about,
          code: "ttl-too-large",
          severity: "note",
          what: `${flow.title}: TTL ${ttl}, while the farthest segment, ${farthest.name}, needs ${needed}.`,
          why: "Where routers forward these groups further, they carry images to networks that have no use for them.",
        },
      ]
    : [];
}

function lintSegment(segment: Segment, isBooting: boolean): LintFinding[] {
  const { name, cidr, intent } = segment;
  if (segment.interfaceName !== null || intent === "none") {
    return [];
  }
  const text = `${name} (${Ipv4Subnet.format(cidr)})`;
  const address: LintFinding = {
    code: "segment-without-server-address",
    severity: "fault",
    subject: name,
    flows: [],
    what: `This server has several addresses, and none was named for segment ${text}.`,
    why: "Boot scripts, transfers and rules must carry the address its computers can reach; any other fails without a word.",
    mend: `portolan segment set ${name} --server-address ADDRESS`,
  };
  const relay: LintFinding = {
    code: "segment-without-relay",
    severity: "warning",
    subject: name,
    flows: ["boot.dhcp"],
    what: `No DHCP relay is known for segment ${text}, whose computers are to be imaged.`,
    why: "Boot requests are broadcasts, which end at the router: without a relay that names us, nothing there boots from here.",
    mend: `portolan segment set ${name} --relay ADDRESS # and the helper address: portolan plan export cisco-ios --segment ${name}`,
  };
  return [
    ...(segment.serverAddress === null ? [address] : []),
    ...(intent === "imaging" && isBooting && segment.relayAddress === null ? [relay] : []),
  ];
}

const severityOrder: Readonly<Record<LintSeverity, number>> = { fault: 0, warning: 1, note: 2 };

/** Everything about the settings that hurts, the worst first. The same input gives the same findings. */
export function lintPlan(input: LintInput): LintFinding[] {
  const on = input.flows.filter(({ state }) => state === "on");
  const isBooting = on.some(({ id }) => id === "boot.dhcp");
  return [
    ...lintGroups(on.filter(({ groups }) => groups.length > 0)),
    ...on.filter(({ groups }) => groups.length > 0).flatMap((flow) => lintTtl(flow, input)),
    ...lintPorts(input),
    ...input.segments.flatMap((segment) => lintSegment(segment, isBooting)),
  ].toSorted((left, right) => severityOrder[left.severity] - severityOrder[right.severity]);
}
