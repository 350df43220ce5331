import { allTasksOf, type Job } from "#engine/job/job.ts";
import type { GateOfRun } from "#engine/job/occurrence.ts";
import type { RunGate } from "#engine/job/run.ts";
import { isSharedContent, isUpload, sessionContentOf, taskEnvironment } from "#engine/job/task-traits.ts";
import { type GateComputer, type GateEstimate, judgeGate } from "#engine/verify/gate.ts";
import { findSegment } from "#plan/segment.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { Principal } from "../accounts/principal.ts";
import { ApiError } from "../api-error.ts";
import type { PortolanServer } from "../server.ts";

/** One gigabit a second, less what headers take: what is assumed before anything was measured. */
const assumedRate = { rateBytesPerSecond: 112_000_000, rateSource: "1 Gbit/s, which is assumed" };

/** What the gate asks. */
export type GateSources = Pick<
  PortolanServer,
  "segments" | "control" | "registry" | "imaging" | "images" | "captures" | "verify" | "clock"
>;

function gateComputers(server: GateSources, computerIds: readonly string[]): GateComputer[] {
  const segments = server.segments.current();
  return computerIds.map((id) => {
    const computer = server.registry.get(id);
    const link = server.control.find(id);
    const address = link?.address ?? computer?.address ?? null;
    const segment = address === null || !Ipv4Address.isValid(address) ? null : findSegment(segments, address);
    return {
      id,
      name: computer?.name ?? id,
      segment: segment?.name ?? null,
      isInPreboot: link?.environment === "preboot",
    };
  });
}

/** The rate of the fastest session that has ended, when there is one. */
function measuredRate(server: GateSources): Omit<GateEstimate, "contentBytes"> {
  const rates = server.imaging.list().flatMap(({ sentBytes, startedAtMs, endedAtMs }) => {
    const elapsedMs = startedAtMs === null || endedAtMs === null ? 0 : endedAtMs - startedAtMs;
    return elapsedMs > 500 && sentBytes > 0 ? [(sentBytes * 1000) / elapsedMs] : [];
  });
  const best = Math.max(0, ...rates);
  return best === 0
    ? assumedRate
    : {
        rateBytesPerSecond: best,
        rateSource: `${Math.round(best / 1e6)} MB/s, as measured in the last sessions`,
      };
}

async function estimateFor(server: GateSources, job: Job): Promise<GateEstimate | null> {
  let contentBytes = 0;
  for (const task of allTasksOf(job)) {
    if (task.kind === "deploy-image") {
      const arriving = server.captures.findArriving(task.imageId);
      const { dataChunkCount, chunkSizeBytes } =
        arriving === undefined
          ? await server.images.find(task.imageId)
          : { dataChunkCount: arriving.chunkCount, chunkSizeBytes: arriving.manifest.chunkSizeBytes };
      contentBytes += dataChunkCount * chunkSizeBytes;
    } else {
      contentBytes += sessionContentOf(task)?.sizeBytes ?? 0;
    }
  }
  return contentBytes === 0 ? null : { contentBytes, ...measuredRate(server) };
}

/**
 * Asks the last verdicts whether the network can carry a job to these computers. Refused work can be forced, and then
 * says so at each of its runs.
 *
 * @throws ApiError 409 `network-blocked`
 */
export async function gateJob(
  server: GateSources,
  job: Job,
  computerIds: readonly string[],
  by: { readonly principal: Principal; readonly isForced: boolean },
): Promise<GateOfRun> {
  const tasks = allTasksOf(job);
  const needs = {
    preboot: tasks.some((task) => taskEnvironment(task) === "preboot"),
    transfer: tasks.some((task) => sessionContentOf(task) !== null || isUpload(task)),
    multicast: computerIds.length > 1 && tasks.some(isSharedContent),
  };
  const nowMs = server.clock.epochMs();
  const verdicts = server.verify
    .latest()
    .map(({ segment, atMs, cells }) => ({ segment: segment.name, atMs, cells }));
  const estimate = needs.multicast ? await estimateFor(server, job) : null;
  const decision = judgeGate(needs, gateComputers(server, computerIds), verdicts, estimate, nowMs);
  switch (decision.type) {
    case "go":
      return () => null;
    case "refuse": {
      if (!by.isForced) {
        throw new ApiError(409, "network-blocked", `${decision.text}; --force assigns it all the same`);
      }
      const gate: RunGate = { decision: "forced", by: by.principal.name, text: decision.text };
      return () => gate;
    }
    case "unicast": {
      const isForced = by.isForced;
      const gate: RunGate = {
        decision: isForced ? "forced" : "unicast",
        by: isForced ? by.principal.name : null,
        text: decision.text,
      };
      return (computerId) => (decision.computerIds.includes(computerId) ? gate : null);
    }
  }
}
