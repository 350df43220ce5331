import type { Flow, FlowId } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { CellWriter, type RemedyBook } from "./cell.ts";
import type { SegmentEvidence } from "./evidence.ts";
import { judgeDhcp } from "./judge-dhcp.ts";
import { judgeDiscovery } from "./judge-discovery.ts";
import { judgeMulticast } from "./judge-multicast.ts";
import { judgeClosedPorts, judgeControl, judgeHttp, judgeRemote, judgeTransfer } from "./judge-tcp.ts";
import { judgeTftp } from "./judge-tftp.ts";
import type { Cell } from "./verdict.ts";

/** Flows that this segment's computers need, in the order of the plan. */
export function neededFlows(evidence: Pick<SegmentEvidence, "flows" | "segment">): Flow[] {
  return evidence.flows.filter(
    (flow) => flow.state === "on" && flow.intents.includes(evidence.segment.intent),
  );
}

/** Why a segment was not tested at all, and how to have it tested. */
export type Untested = { readonly reason: string; readonly remedy: string };

/**
 * The verdicts on one segment, from what its prober and the server saw: one cell for every flow that the segment
 * needs, then one for every port that must be closed. A flow that cannot be tried because another does not pass is not
 * red itself; it says which.
 *
 * @param untested what is said of every flow when there was no prober
 */
export function judgeSegment(evidence: SegmentEvidence, remedies: RemedyBook, untested: Untested): Cell[] {
  const writer = new CellWriter(evidence, remedies);
  const needed = neededFlows(evidence);
  if (evidence.prober === null) {
    return needed.map(({ id }) => writer.notTested(id, untested.reason, untested.remedy));
  }
  const judged = new Map<FlowId, Cell>(
    [
      ...judgeDhcp(writer),
      ...judgeTftp(writer),
      ...judgeDiscovery(writer),
      judgeHttp(writer),
      judgeControl(writer),
      judgeTransfer(writer),
      judgeMulticast(writer),
      judgeWake(writer),
    ].map((cell) => [cell.flow as FlowId, cell]),
  );
  if (findFlow(evidence.flows, "remote.control").carrier === null) {
    judged.set("remote.control", judgeRemote(writer));
  }
  const cells = needed.map((flow) =>
    judgeListener(writer, flow.id, judged.get(flow.id) ?? judgeOther(writer, flow, judged)),
  );
  return [...cells, ...judgeClosedPorts(writer)];
}

/** What the server itself does not listen for is stopped by no device on the way. */
function judgeListener(writer: CellWriter, flow: FlowId, cell: Cell): Cell {
  const unserved = writer.evidence.unserved.find(({ flowIds }) => flowIds.includes(flow));
  return cell.verdict !== "blocked" || unserved === undefined
    ? cell
    : writer.fault(flow, "blocked", {
        evidence: cell.evidence,
        causeCode: "nothing-listens",
        cause: `the server itself does not listen there: ${unserved.reason}`,
        remedy:
          "on the server: end what is in the way, or change the setting; it is tried again every few seconds, and portolan plan show says when it listens",
      });
}

function judgeWake(writer: CellWriter): Cell {
  const flow = "wake.magic-packet";
  const { wake, segment } = writer.evidence;
  if (segment.interfaceName === null) {
    return writer.notTested(
      flow,
      "broadcasts do not cross routers: a sleeping computer here is woken by an awake agent of its segment",
    );
  }
  if (wake === null || wake.type === "not-tried") {
    return writer.notTested(flow, wake?.reason ?? "it was not asked");
  }
  const { receivedCount, sourceAddress } = wake.sighting;
  return receivedCount > 0
    ? writer.pass(flow, null, `a magic packet came by broadcast from ${sourceAddress}`)
    : writer.lostOnTheWayBack(flow, "the server sent a magic packet by broadcast, and it did not come");
}

/** Flows without a probe of their own stand and fall with the one that carries them. */
function judgeOther(writer: CellWriter, flow: Flow, judged: ReadonlyMap<FlowId, Cell>): Cell {
  const carrier = flow.carrier === null ? undefined : judged.get(flow.carrier);
  if (carrier === undefined) {
    return writer.notTested(flow.id, "there is no probe for this flow");
  }
  return carrier.verdict === "pass"
    ? writer.pass(flow.id, carrier.latencyMs, `it is carried by ${carrier.flow}, which passes`)
    : writer.notTested(flow.id, `it is carried by ${carrier.flow}, which does not pass`);
}
