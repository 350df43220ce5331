import { findFlow } from "#plan/flows.ts";
import type { CellWriter } from "./cell.ts";
import { describeArrival } from "./judge-dhcp.ts";
import type { Cell } from "./verdict.ts";

function judgeQuestion(writer: CellWriter): Cell {
  const flow = "agent.discovery";
  const { discovery, arrivals, segment, flows } = writer.evidence;
  if (discovery === null || discovery.type === "not-tried") {
    return writer.notTested(flow, discovery?.reason ?? "it was not asked");
  }
  const { groups, ttl } = findFlow(flows, flow);
  const [arrival] = arrivals.discovery;
  if (arrival !== undefined) {
    return writer.pass(
      flow,
      null,
      `GetServer to ${groups.join(", ")}, TTL ${ttl}: ${describeArrival(arrival)}`,
    );
  }
  const evidence = `${discovery.sighting.sentCount} questions to ${groups.join(", ")}, TTL ${ttl}; the server saw none`;
  if (segment.interfaceName !== null) {
    return writer.lostOnTheWayThere(flow, evidence);
  }
  const line = writer.remedy(flow, "to-server");
  return writer.fault(flow, "blocked", {
    evidence,
    causeCode: "multicast-not-routed",
    cause: `no router carries this group from ${writer.place()} to the server, or ${writer.device()} drops it`,
    remedy: [line, writer.deviceLine("multicast-routing")].filter((part) => part !== null).join("\n"),
  });
}

function judgeAnswer(writer: CellWriter, question: Cell): Cell {
  const flow = "agent.discovery-reply";
  const { discovery, prober } = writer.evidence;
  if (discovery === null || discovery.type === "not-tried") {
    return writer.notTested(flow, discovery?.reason ?? "it was not asked");
  }
  if (question.verdict === "blocked") {
    return writer.notTested(flow, "agent.discovery is blocked, so there is nothing to answer");
  }
  const { elapsedMs, answerAddress, sourceAddress, isSignatureRight } = discovery.sighting;
  if (elapsedMs === null) {
    return writer.lostOnTheWayBack(flow, "the server saw the question and answered; no answer came");
  }
  if (!isSignatureRight) {
    return writer.fault(flow, "blocked", {
      latencyMs: elapsedMs,
      evidence: `${sourceAddress} answered without the site's signature`,
      causeCode: "wrong-server",
      cause: "another server answers in the name of this one; agents refuse it",
      remedy: `find out who has the address ${sourceAddress}`,
    });
  }
  if (answerAddress !== prober?.serverAddress) {
    return writer.fault(flow, "degraded", {
      latencyMs: elapsedMs,
      evidence: `the answer names ${answerAddress}; this segment reaches the server at ${prober?.serverAddress}`,
      causeCode: "wrong-server",
      cause: "the question came in on an interface of another segment",
      remedy: null,
    });
  }
  return writer.pass(flow, elapsedMs, `signed answer from ${sourceAddress}, which names ${answerAddress}`);
}

export function judgeDiscovery(writer: CellWriter): Cell[] {
  const question = judgeQuestion(writer);
  return [question, judgeAnswer(writer, question)];
}
