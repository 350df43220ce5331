import assert from "node:assert/strict";
import { test } from "node:test";
import { findInEvidence } from "../findings/segment-findings.ts";
import type { ExportFormat } from "#plan/export/exporters.ts";
import { computeFlows } from "#plan/flows.ts";
import type { Segment } from "#plan/segment.ts";
import { classicSettings } from "#plan/settings.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { OfferSighting, TcpSighting } from "#wire/probe/probe-sighting.ts";
import type { ServerArrival, SegmentEvidence } from "./evidence.ts";
import { judgeSegment } from "./judge-segment.ts";
import type { RemedyBook } from "./cell.ts";
import { createRemedyBook } from "./remedy-book.ts";
import type { Cell } from "./verdict.ts";

const ip = (text: string): Ipv4Address => Ipv4Address.parse(text);
const server = ip("10.1.0.1");
const relayAddress = ip("10.2.0.254");

const far: Segment = {
  ...{ name: "far", cidr: { address: ip("10.2.0.0"), prefixLength: 24 }, intent: "imaging" },
  ...{
    interfaceName: null,
    serverAddress: server,
    gatewayAddress: relayAddress,
    relayAddress,
    origin: "operator",
  },
};
const flows = computeFlows(classicSettings, { consolePort: 8443 });

const open: TcpSighting = { state: "open", elapsedMs: 3, localEnd: "10.2.0.9:50000", detail: null };
const relayed: ServerArrival = {
  ...{ sourceAddress: ip("10.1.0.254"), sourcePort: 67, interfaceName: "eth0", silence: null },
  relay: { address: relayAddress, hops: 1, circuitId: null, remoteId: null },
};
const direct: ServerArrival = { ...relayed, sourceAddress: ip("10.2.0.9"), sourcePort: 50_000, relay: null };
const bootOffer: OfferSighting = {
  ...{
    sourceAddress: relayAddress,
    serverIdentifier: server,
    yourAddress: Ipv4Address.any,
    serverAddress: server,
  },
  ...{ relayAddress, bootFile: "undionly.kpxe", isBootServer: true, subnetMask: null, router: null },
  ...{ attempt: 0, elapsedMs: 5 },
};
const leaseOffer: OfferSighting = {
  ...bootOffer,
  ...{ serverIdentifier: ip("10.1.0.2"), yourAddress: ip("10.2.0.100"), isBootServer: false, bootFile: null },
};

function pair(group: string, port: number, ttls: readonly [number, number][], largeCount = 10) {
  return {
    ...{ group: ip(group), port, received: 30, highestSequence: 30, reordered: 0, duplicates: 0 },
    ...{ sourceAddress: server, byTtl: ttls.map(([value, count]) => ({ value, count })) },
    bySize: [{ value: 1500, count: largeCount }],
  };
}

const wire = {
  ...{ routerCount: 1, queryCount: 1, querierAddress: relayAddress, floodedCount: 0 },
  ...{ rightChecksums: 30, wrongChecksums: 0, fragmentCount: 0, forwardDelaySeconds: null },
};

/** Everything passes. */
const healthy: SegmentEvidence = {
  segment: far,
  prober: {
    ...{ computerId: "c-1", name: "pc1", environment: "os" },
    ...{ address: ip("10.2.0.9"), serverAddress: server, interfaceName: "eth0" },
  },
  flows,
  unserved: [],
  closedPorts: [
    { name: "console", port: 8443 },
    { name: "unused", port: 1019 },
  ],
  expectedFile: { sizeBytes: 4000, sha256: "f" },
  expectedPart: { sizeBytes: 4096, sha256: "p" },
  expectedManifest: { sha256: "m" },
  control: { type: "seen", sighting: { kind: "control", tcp: open, tlsMs: 9 } },
  closed: {
    type: "seen",
    sighting: {
      kind: "closed-ports",
      ports: [8443, 1019].map((port) => ({ ...open, state: "silent" as const, localEnd: null, port })),
    },
  },
  http: {
    type: "seen",
    sighting: { kind: "http", tcp: open, status: 206, receivedBytes: 4096, sha256: "p", elapsedMs: 4 },
  },
  tftp: {
    type: "seen",
    sighting: {
      kind: "tftp",
      reads: [512, 1468].map((blockSizeBytes) => ({
        ...{ blockSizeBytes, outcome: "complete" as const, elapsedMs: 4, serverPort: 40_000 },
        ...{ agreedSizeBytes: blockSizeBytes, receivedBytes: 4000, detail: "f" },
      })),
      answeredSizes: [1500, 1400],
      fragmentCount: 0,
    },
  },
  dhcp: { type: "seen", sighting: { kind: "dhcp", sentCount: 1, offers: [bootOffer, leaseOffer] } },
  bootServer: { type: "seen", sighting: { kind: "boot-server", sentCount: 1, offers: [bootOffer] } },
  discovery: {
    type: "seen",
    sighting: {
      ...{ kind: "discovery", sentCount: 1, elapsedMs: 4, answerAddress: server },
      ...{ sourceAddress: server, isSignatureRight: true },
    },
  },
  transfer: {
    type: "seen",
    sighting: { kind: "transfer", tcp: open, receivedBytes: 15, sha256: "m", elapsedMs: 5 },
  },
  transferPort: 40_001,
  remote: { type: "seen", sighting: { kind: "remote", tcp: open, elapsedMs: 9 } },
  remotePort: 40_002,
  isRemoteJoined: true,
  flood: { type: "seen", sighting: { kind: "multicast", pairs: [], wire } },
  multicast: {
    type: "seen",
    sighting: { kind: "multicast", pairs: [pair("224.2.0.2", 401, [[16, 30]])], wire },
  },
  multicastSent: {
    ...{ ttl: 16, smallCount: 20, largeCount: 10, largeSizeBytes: 1500 },
    ...{ otherTtls: [1, 2, 3], otherTtlCount: 3 },
  },
  wake: null,
  arrivals: { discover: [relayed], bootServer: [direct], discovery: [direct], tftp: [direct] },
};

function book(format: ExportFormat): RemedyBook {
  return createRemedyBook({ segment: far, flows, serverName: "ds1", profile: "classic", format });
}

function judge(change: Partial<SegmentEvidence>): Cell[] {
  const evidence = { ...healthy, ...change };
  return judgeSegment(evidence, book("nftables"), {
    reason: "no agent is connected from far (10.2.0.0/24)",
    remedy: "boot one of them",
  });
}

function faultsOf(cells: readonly Cell[]): (readonly [string, string, string | null])[] {
  return cells
    .filter(({ verdict }) => verdict !== "pass" && verdict !== "not-tested")
    .map(({ flow, verdict, causeCode }) => [flow, verdict, causeCode]);
}

test("verdicts: a healthy segment has no fault and no finding, and a cell for every flow it needs", () => {
  const cells = judge({});
  assert.deepEqual(faultsOf(cells), []);
  assert.deepEqual(findInEvidence(healthy, cells, book("nftables")), []);
  const needed = flows.filter(({ state, intents }) => state === "on" && intents.includes("imaging"));
  assert.deepEqual(
    cells.map(({ flow }) => flow),
    [...needed.map(({ id }) => id), "closed.console", "closed.unused"],
  );
});

test("verdicts: without an agent everything is not tested, with the way to get one", () => {
  const cells = judge({ prober: null });
  assert.ok(cells.length > 0);
  assert.ok(cells.every(({ verdict, remedy }) => verdict === "not-tested" && remedy === "boot one of them"));
});

test("verdicts: what is lost on the way there and on the way back is told apart, and the second cell waits", () => {
  const lost = judge({
    tftp: {
      type: "seen",
      sighting: {
        kind: "tftp",
        reads: [512, 1468].map((blockSizeBytes) => ({
          ...{ blockSizeBytes, outcome: "no-answer" as const, elapsedMs: 4000, serverPort: null },
          ...{ agreedSizeBytes: null, receivedBytes: 0, detail: null },
        })),
        answeredSizes: [],
        fragmentCount: 0,
      },
    },
    arrivals: { ...healthy.arrivals, tftp: [] },
  });
  assert.deepEqual(faultsOf(lost), [["boot.tftp", "blocked", "filtered"]]);
  const data = lost.find(({ flow }) => flow === "boot.tftp-data");
  assert.deepEqual(
    [data?.verdict, data?.evidence],
    ["not-tested", "boot.tftp is blocked, so no data is sent"],
  );
  const remedy = lost.find(({ flow }) => flow === "boot.tftp")?.remedy ?? "";
  assert.match(
    remedy,
    /^# table inet portolan_far, chain rules:\nip saddr 10\.2\.0\.0\/24 ip daddr 10\.1\.0\.1 udp dport 69 /,
  );

  const answerLost = judge({
    dhcp: { type: "seen", sighting: { kind: "dhcp", sentCount: 3, offers: [leaseOffer] } },
  });
  assert.deepEqual(faultsOf(answerLost), [["boot.dhcp-reply", "blocked", "answer-filtered"]]);
});

test("verdicts: where the server itself does not listen, no device on the way is blamed", () => {
  const refused = { ...open, state: "refused" as const, localEnd: null };
  const http: SegmentEvidence["http"] = {
    type: "seen",
    sighting: { kind: "http", tcp: refused, status: 0, receivedBytes: 0, sha256: "", elapsedMs: 1 },
  };
  assert.deepEqual(faultsOf(judge({ http })), [["boot.http", "blocked", "refused-on-the-way"]]);
  const unserved = [{ flowIds: ["boot.http" as const], reason: "tcp port 8069 is held by nginx" }];
  const cells = judge({ http, unserved });
  assert.deepEqual(faultsOf(cells), [["boot.http", "blocked", "nothing-listens"]]);
  assert.match(cells.find(({ flow }) => flow === "boot.http")?.cause ?? "", /held by nginx/);
  assert.deepEqual(faultsOf(judge({ unserved })), [], "what answers is served");
});

test("verdicts: an offer that comes after firmware has stopped waiting is late", () => {
  const offers = [{ ...bootOffer, elapsedMs: 2600 }, leaseOffer];
  const cells = judge({ dhcp: { type: "seen", sighting: { kind: "dhcp", sentCount: 2, offers } } });
  assert.deepEqual(faultsOf(cells), [["boot.dhcp-reply", "late", "too-slow"]]);
  assert.equal(cells.find(({ flow }) => flow === "boot.dhcp-reply")?.latencyMs, 2600);
});

test("verdicts: multicast that needs a larger TTL, is lost in part, or is too large for the path", () => {
  const multicast = (pairs: ReturnType<typeof pair>[], given = {}): Partial<SegmentEvidence> => ({
    multicast: { type: "seen", sighting: { kind: "multicast", pairs, wire: { ...wire, ...given } } },
  });
  const deaf = pair("224.2.0.2", 401, [[32, 3]], 0);
  assert.deepEqual(faultsOf(judge(multicast([deaf]))), [["imaging.data", "blocked", "ttl-too-small"]]);
  const lossy = pair("224.2.0.2", 401, [[16, 24]], 8);
  assert.deepEqual(faultsOf(judge(multicast([lossy]))), [["imaging.data", "degraded", "packet-loss"]]);
  const small = pair("224.2.0.2", 401, [[16, 20]], 0);
  assert.deepEqual(faultsOf(judge(multicast([small]))), [["imaging.data", "degraded", "path-mtu"]]);
  const unasked = judge(multicast([pair("224.2.0.2", 401, [[16, 30]])], { queryCount: 0 }));
  assert.deepEqual(faultsOf(unasked), [["imaging.data", "degraded", "no-querier"]]);
});

test("findings: a querier that is missing is mended by lines of the device that was named", () => {
  const silent = { ...wire, queryCount: 0, querierAddress: null, floodedCount: 12 };
  const evidence: SegmentEvidence = {
    ...healthy,
    flood: { type: "seen", sighting: { kind: "multicast", pairs: [], wire: silent } },
    multicast: {
      type: "seen",
      sighting: { kind: "multicast", pairs: [pair("224.2.0.2", 401, [[16, 30]])], wire: silent },
    },
  };
  for (const [format, line] of [
    ["cisco-ios", /^ip igmp snooping querier$/m],
    ["cisco-nxos", /ip igmp snooping querier 10\.2\.0\.254/],
    ["routeros", /multicast-querier=yes/],
    ["nftables", /mcast_querier 1/],
  ] as const) {
    const [finding] = findInEvidence(evidence, [], book(format));
    assert.equal(finding?.kind, "no-igmp-querier");
    assert.match(finding.remedy ?? "", line);
    assert.equal(finding.remedy, book(format).forDevice("querier"));
  }
});

test("verdicts: an open console is a fault only where a filter stands that lets it through", () => {
  const ports = (unused: "silent" | "refused") => ({
    type: "seen" as const,
    sighting: {
      kind: "closed-ports" as const,
      ports: [
        { ...open, port: 8443 },
        { ...open, state: unused, localEnd: null, port: 1019 },
      ],
    },
  });
  assert.deepEqual(faultsOf(judge({ closed: ports("silent") })), [
    ["closed.console", "degraded", "port-open"],
  ]);
  assert.deepEqual(faultsOf(judge({ closed: ports("refused") })), []);
});
