import type { Logger } from "pino";
import type { SegmentEvidence } from "#engine/verify/evidence.ts";
import { countRouters } from "#engine/verify/judge-multicast.ts";
import { judgeSegment, type Untested } from "#engine/verify/judge-segment.ts";
import { createRemedyBook } from "#engine/verify/remedy-book.ts";
import type { Cell } from "#engine/verify/verdict.ts";
import type { ExportFormat } from "#plan/export/exporters.ts";
import type { Flow } from "#plan/flow.ts";
import { findSegment, type Segment } from "#plan/segment.ts";
import type { Clock } from "#platform/clock.ts";
import type { FindingStore } from "#store/finding-store.ts";
import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { ApiError } from "../api-error.ts";
import type { ControlLink } from "../services/control-service.ts";
import type { FindingService } from "./finding-service.ts";
import { describeMoving, type MovingAgent } from "./moving-agents.ts";
import { type ProbeSegmentDependencies, SegmentProbe } from "./probe-segment.ts";

/** Everybody who could try something, with the name people know it by. */
export type ProberCandidate = { readonly link: ControlLink; readonly name: string };

export type VerifyServiceDependencies = ProbeSegmentDependencies & {
  readonly clock: Clock;
  readonly log: Logger;
  readonly segments: () => readonly Segment[];
  readonly flows: () => readonly Flow[];
  readonly candidates: () => readonly ProberCandidate[];
  readonly moving: () => readonly MovingAgent[];
  readonly site: () => { readonly serverName: string; readonly profile: string };
  readonly findings: FindingService;
  readonly store: Pick<FindingStore, "readVerdicts" | "putVerdicts">;
  readonly siteKeyFingerprint: string;
  readonly controlPort: () => number;
};

/** One segment of a report. */
export type VerifiedSegment = {
  readonly segment: Segment;
  readonly prober: SegmentEvidence["prober"];
  readonly atMs: number;
  readonly durationMs: number;
  readonly cells: readonly Cell[];
  /** Routers that imaging crosses on the way there; `null` or absent where that was never seen. */
  readonly routerCount?: number | null;
};

/** Probes of one segment, for the progress bar. */
const stepCount = 12;
/** How long an agent is waited for that reconnects after a change of settings. */
const movingMsMax = 20_000;
const movingPollMs = 250;
/** What was tried while the plan changed is tried once more, when that leaves the whole within a minute. */
const repeatMsMax = 30_000;
/** Segments at once: each has its own prober, and the server's part is small. */
const parallelCount = 4;

/** Has every segment tried by an agent in it, judges what was seen, and remembers the last verdicts. */
export class VerifyService {
  readonly #dependencies: VerifyServiceDependencies;
  /** Names of segments that are being verified. BOUNDED by the segments. */
  readonly #running = new Set<string>();
  /** Keyed by segment name. BOUNDED by the segments. */
  readonly #latest = new Map<string, VerifiedSegment>();

  constructor(dependencies: VerifyServiceDependencies) {
    this.#dependencies = dependencies;
  }

  /** What was known before this server was started. */
  async load(): Promise<void> {
    for (const text of await this.#dependencies.store.readVerdicts()) {
      // Written by `#store`.
      const verified = JSON.parse(text) as VerifiedSegment;
      this.#latest.set(verified.segment.name, verified);
    }
  }

  latest(): readonly VerifiedSegment[] {
    return [...this.#latest.values()];
  }

  /** Segments that can be verified: those that need anything. @throws ApiError 404 */
  choose(name: string | null): Segment[] {
    const all = this.#dependencies.segments().filter(({ intent }) => intent !== "none");
    const chosen = name === null ? all : all.filter((segment) => segment.name === name);
    if (chosen.length === 0 && name !== null) {
      const names = all.map((segment) => segment.name).join(", ");
      throw new ApiError(
        404,
        "not-found",
        `there is no segment ${name} that needs anything; there are: ${names}`,
      );
    }
    return chosen;
  }

  /** @throws ApiError 409 when one of them is being verified already */
  async verify(
    segments: readonly Segment[],
    format: ExportFormat,
    onProgress: (progress: { readonly percent: number; readonly detail: string }) => void,
  ): Promise<VerifiedSegment[]> {
    const busy = segments.find(({ name }) => this.#running.has(name));
    if (busy !== undefined) {
      throw new ApiError(409, "busy", `segment ${busy.name} is being verified already; wait for it to end`);
    }
    let doneSteps = 0;
    const total = segments.length * stepCount;
    const onStep = (detail: string): void => {
      doneSteps += 1;
      onProgress({ percent: Math.min(99, (100 * doneSteps) / total), detail });
    };
    const results: VerifiedSegment[] = [];
    const queue = [...segments];
    const work = async (): Promise<void> => {
      for (let segment = queue.shift(); segment !== undefined; segment = queue.shift()) {
        results.push(await this.#verifyOne(segment, format, onStep));
      }
    };
    await Promise.all(Array.from({ length: parallelCount }, work));
    return segments.flatMap(({ name }) => results.filter(({ segment }) => segment.name === name));
  }

  async #verifyOne(
    segment: Segment,
    format: ExportFormat,
    onStep: (detail: string) => void,
  ): Promise<VerifiedSegment> {
    const { clock, flows, site, findings } = this.#dependencies;
    const startedAtMs = clock.monotonicMs();
    this.#running.add(segment.name);
    try {
      const { evidence, untested } = await this.#gather(segment, onStep);
      const known = { segment: evidence.segment, flows: flows() };
      const remedies = createRemedyBook({ ...known, ...site(), format });
      const verified: VerifiedSegment = {
        segment,
        prober: evidence.prober,
        atMs: Math.round(clock.epochMs()),
        durationMs: Math.round(clock.monotonicMs() - startedAtMs),
        // Of the last time that anything arrived: what is blocked now tells nothing of the way.
        routerCount: countRouters(evidence) ?? this.#latest.get(segment.name)?.routerCount ?? null,
        cells: judgeSegment(evidence, remedies, untested),
      };
      this.#latest.set(segment.name, verified);
      findings.settle(evidence, verified.cells, remedies);
      await this.#store(verified);
      return verified;
    } finally {
      this.#running.delete(segment.name);
    }
  }

  /** The verdicts are worth having also when the store is away. */
  async #store(verified: VerifiedSegment): Promise<void> {
    const { store, log } = this.#dependencies;
    try {
      await store.putVerdicts(verified.segment.name, verified.atMs, JSON.stringify(verified));
    } catch (error) {
      log.warn({ err: error }, "verdicts could not be stored; they are in memory");
    }
  }

  /**
   * Nothing is judged by what was tried while the plan changed or the prober reconnected: it would be red without a fault
   * of the network.
   */
  async #gather(
    segment: Segment,
    onStep: (detail: string) => void,
  ): Promise<{ readonly evidence: SegmentEvidence; readonly untested: Untested }> {
    const { clock, flows, isStanding } = this.#dependencies;
    const startedAtMs = clock.monotonicMs();
    let again = "";
    for (;;) {
      const prober = await this.#waitForProber(segment, onStep);
      const tried = flows();
      if ("reason" in prober) {
        return { evidence: withoutProber(segment, tried), untested: prober };
      }
      const known = { ...segment, serverAddress: prober.link.serverAddress };
      const probe = new SegmentProbe(
        {
          segment: known,
          link: prober.link,
          flows: tried,
          onStep: (kind) => onStep(`${segment.name}: ${kind}${again}`),
        },
        this.#dependencies,
      );
      const evidence = await probe.run(prober.name);
      const isOtherPlan = JSON.stringify(flows()) !== JSON.stringify(tried);
      if (!isOtherPlan && isStanding(prober.link)) {
        return { evidence, untested: this.#nobody(segment) };
      }
      const what = isOtherPlan ? "the plan changed" : `agent ${prober.name} lost its connection`;
      if (clock.monotonicMs() - startedAtMs > repeatMsMax) {
        const reason = `${what} while this was tried`;
        return {
          evidence: withoutProber(segment, flows()),
          untested: { reason, remedy: "portolan plan verify" },
        };
      }
      again = `, once more because ${what}`;
    }
  }

  /** One agent of the segment, waited for while it follows a change of settings; or why there is none. */
  async #waitForProber(
    segment: Segment,
    onStep: (detail: string) => void,
  ): Promise<ProberCandidate | Untested> {
    const { clock, moving, segments } = this.#dependencies;
    const untilMs = clock.monotonicMs() + movingMsMax;
    let hasSaid = false;
    for (;;) {
      const onTheWay = moving().filter(
        ({ address }) => findSegment(segments(), address)?.name === segment.name,
      );
      const prober = this.#elect(segment, new Set(onTheWay.map(({ computerId }) => computerId)));
      if (prober !== null) {
        return prober;
      }
      if (onTheWay.length === 0) {
        return this.#nobody(segment);
      }
      const reason = describeMoving(onTheWay);
      if (clock.monotonicMs() > untilMs) {
        const remedy =
          "wait a minute: an agent that does not reach the server with new settings returns to its old ones; then portolan plan verify";
        return { reason: `${reason}; it did not come back within ${movingMsMax / 1000} s`, remedy };
      }
      if (!hasSaid) {
        hasSaid = true;
        onStep(`${segment.name}: waiting, ${reason}`);
      }
      await new Promise<void>((resolve) => {
        clock.after(movingPollMs, resolve);
      });
    }
  }

  /** One agent of the segment that stays: rather one of an operating system than one in preboot. */
  #elect(segment: Segment, moving: ReadonlySet<string>): ProberCandidate | null {
    const segments = this.#dependencies.segments();
    const inside = this.#dependencies
      .candidates()
      .filter(
        ({ link }) =>
          findSegment(segments, link.address)?.name === segment.name && !moving.has(link.computerId),
      );
    return inside.find(({ link }) => link.environment === "os") ?? inside[0] ?? null;
  }

  #nobody(segment: Segment): Untested {
    const place = `${segment.name} (${Ipv4Subnet.format(segment.cidr)})`;
    return { reason: `no agent is connected from ${place}`, remedy: this.#howToProbe(segment) };
  }

  #howToProbe(segment: Segment): string {
    const { siteKeyFingerprint, controlPort } = this.#dependencies;
    const server = segment.serverAddress ?? "ADDRESS-OF-THIS-SERVER";
    return (
      `boot any computer of ${Ipv4Subnet.format(segment.cidr)} from the network and approve it, or run on one: ` +
      `portolan agent run --server ${server} --port ${controlPort()} --site-key ${siteKeyFingerprint}`
    );
  }
}

function withoutProber(segment: Segment, flows: readonly Flow[]): SegmentEvidence {
  return {
    segment,
    prober: null,
    flows,
    unserved: [],
    closedPorts: [],
    expectedFile: { sizeBytes: 0, sha256: "" },
    expectedPart: null,
    expectedManifest: { sha256: "" },
    control: null,
    closed: null,
    http: null,
    tftp: null,
    dhcp: null,
    bootServer: null,
    discovery: null,
    transfer: null,
    transferPort: null,
    remote: null,
    remotePort: null,
    isRemoteJoined: false,
    flood: null,
    multicast: null,
    multicastSent: {
      ttl: 1,
      smallCount: 0,
      largeCount: 0,
      largeSizeBytes: 0,
      otherTtls: [],
      otherTtlCount: 0,
    },
    wake: null,
    arrivals: { discover: [], bootServer: [], discovery: [], tftp: [] },
  };
}
