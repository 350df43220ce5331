import { describeRelay } from "../boot/describe-trace.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { OfferSighting } from "#wire/probe/probe-sighting.ts";
import type { CellWriter } from "./cell.ts";
import type { ServerArrival } from "./evidence.ts";
import type { Cell } from "./verdict.ts";

/** iPXE waits two seconds for a boot offer after the lease; the paper's firmware three. */
const offerBudgetMs = 2000;
/** PXE 2.1 asks the boot server again after one second. */
const bootServerBudgetMs = 1000;

export function describeArrival(arrival: ServerArrival): string {
  const { relay, sourceAddress, sourcePort, interfaceName } = arrival;
  const port = sourcePort === 0 ? "" : `:${sourcePort}`;
  const from = `the server saw it on ${interfaceName} from ${sourceAddress}${port}`;
  if (relay === null) {
    return from;
  }
  return `${from}, through ${describeRelay(relay)}${relay.circuitId === null ? ", no option 82" : ""}`;
}

/** Offers of an address: what the site's DHCP servers sent. */
export function leaseOffers(offers: readonly OfferSighting[]): OfferSighting[] {
  return offers.filter((offer) => offer.yourAddress !== Ipv4Address.any);
}

/** A relay that leaves `giaddr` empty: the answer is broadcast in the wrong segment. */
export function isRelayedWithoutTrace(writer: CellWriter, arrival: ServerArrival): boolean {
  return writer.evidence.segment.interfaceName === null && arrival.relay === null;
}

/** DISCOVER from firmware to this server, and to a DHCP server that leases. */
function judgeRequest(writer: CellWriter): Cell {
  const flow = "boot.dhcp";
  const { dhcp, arrivals, segment, prober } = writer.evidence;
  if (dhcp === null || dhcp.type === "not-tried") {
    return writer.notTested(flow, dhcp?.reason ?? "it was not asked");
  }
  const { sentCount, offers } = dhcp.sighting;
  const arrival = arrivals.discover.find(({ silence }) => silence === null) ?? arrivals.discover[0];
  if (arrival === undefined) {
    const evidence = `${sentCount} DISCOVERs were broadcast in ${writer.place()}, and the server saw none`;
    if (segment.interfaceName !== null) {
      return writer.lostOnTheWayThere(flow, evidence);
    }
    const line = writer.remedy(flow, "to-server");
    return writer.fault(flow, "blocked", {
      evidence,
      causeCode: "relay-missing",
      cause: `the segment's DHCP relay does not pass it on to ${prober?.serverAddress}, or ${writer.device()} drops it`,
      remedy: [line, writer.deviceLine("dhcp-relay")].filter((part) => part !== null).join("\n"),
    });
  }
  if (arrival.silence === "relay-not-listed") {
    return writer.fault(flow, "blocked", {
      evidence: `${describeArrival(arrival)}, and did not answer: this relay is not named in its configuration`,
      causeCode: "relay-not-listed",
      cause: "the server answers only relays that were named to it",
      remedy: `in the server's configuration, under [server]: relays = ["${arrival.relay?.address}"]`,
    });
  }
  if (isRelayedWithoutTrace(writer, arrival)) {
    return writer.fault(flow, "blocked", {
      evidence: `${describeArrival(arrival)}, with giaddr 0.0.0.0 although it comes from ${writer.place()}`,
      causeCode: "relay-without-giaddr",
      cause:
        "what forwards DHCP from this segment does not write its address into giaddr (RFC 1542 §4.1.1), so no answer finds the way back",
      remedy: writer.deviceLine("dhcp-relay"),
    });
  }
  const leases = leaseOffers(offers);
  if (leases.length === 0) {
    return writer.fault(flow, "degraded", {
      evidence: `${describeArrival(arrival)}; but of ${sentCount} DISCOVERs none got an address from any DHCP server`,
      causeCode: "dhcp-server-missing",
      cause: "no DHCP server serves this segment, its range is used up, or the relay does not know it",
      remedy: writer.deviceLine("dhcp-server"),
    });
  }
  const names = [...new Set(leases.map((offer) => offer.serverIdentifier ?? offer.sourceAddress))];
  return writer.pass(flow, null, `${describeArrival(arrival)}; addresses come from ${names.join(", ")}`);
}

function judgeReply(writer: CellWriter, request: Cell): Cell {
  const flow = "boot.dhcp-reply";
  const { dhcp, prober } = writer.evidence;
  if (dhcp === null || dhcp.type === "not-tried") {
    return writer.notTested(flow, dhcp?.reason ?? "it was not asked");
  }
  if (request.verdict === "blocked") {
    return writer.notTested(flow, "boot.dhcp is blocked, so there is nothing to answer");
  }
  const ours = dhcp.sighting.offers.find(
    (offer) => offer.isBootServer && offer.serverIdentifier === prober?.serverAddress,
  );
  if (ours === undefined) {
    return writer.lostOnTheWayBack(flow, "the server sent its boot offer, and it did not come");
  }
  if (ours.serverAddress !== prober?.serverAddress) {
    return writer.fault(flow, "degraded", {
      latencyMs: ours.elapsedMs,
      evidence: `the boot offer names ${ours.serverAddress}, not ${prober?.serverAddress}`,
      causeCode: "wrong-server",
      cause: "the offer carries the address of another segment",
      remedy: null,
    });
  }
  const evidence = `boot offer for ${ours.bootFile} from ${ours.serverAddress}, received from ${ours.sourceAddress}`;
  return ours.elapsedMs <= offerBudgetMs
    ? writer.pass(flow, ours.elapsedMs, evidence)
    : writer.fault(flow, "late", {
        latencyMs: ours.elapsedMs,
        evidence: `${evidence}, after ${(ours.elapsedMs / 1000).toFixed(1)} s; firmware waits ${offerBudgetMs / 1000} s`,
        causeCode: "too-slow",
        cause: "a relay or the path holds it up, or the server is busy",
        remedy: null,
      });
}

function judgeBootServer(writer: CellWriter): Cell {
  const flow = "boot.server";
  const { bootServer, arrivals } = writer.evidence;
  if (bootServer === null || bootServer.type === "not-tried") {
    return writer.notTested(flow, bootServer?.reason ?? "it was not asked");
  }
  const { sentCount, offers } = bootServer.sighting;
  const [arrival] = arrivals.bootServer;
  const [answer] = offers;
  if (arrival === undefined) {
    return writer.lostOnTheWayThere(
      flow,
      `${sentCount} requests to UDP 4011 got no answer, and the server saw none`,
    );
  }
  if (answer === undefined) {
    return writer.lostOnTheWayBack(flow, `${describeArrival(arrival)} and answered; the answer did not come`);
  }
  const evidence = `${describeArrival(arrival)}; it answered with ${answer.bootFile}`;
  return answer.elapsedMs <= bootServerBudgetMs
    ? writer.pass(flow, answer.elapsedMs, evidence)
    : writer.fault(flow, "late", {
        latencyMs: answer.elapsedMs,
        evidence: `${evidence}, after ${(answer.elapsedMs / 1000).toFixed(1)} s; firmware waits one`,
        causeCode: "too-slow",
        cause: "the path holds it up, or the server is busy",
        remedy: null,
      });
}

/** Cells of the three flows that firmware begins with. */
export function judgeDhcp(writer: CellWriter): Cell[] {
  const request = judgeRequest(writer);
  return [request, judgeReply(writer, request), judgeBootServer(writer)];
}
