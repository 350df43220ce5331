import type { TftpReadSighting } from "#wire/probe/probe-sighting.ts";
import type { CellWriter } from "./cell.ts";
import { describeArrival } from "./judge-dhcp.ts";
import { pathMtuRemedy, reducedPathMtuBytes } from "./path-mtu.ts";
import type { Cell } from "./verdict.ts";

/** A block that comes only when it is sent again: the first one was too large for the path, or lost. */
const resentMs = 900;

function judgeRequest(writer: CellWriter): Cell {
  const flow = "boot.tftp";
  const { tftp, arrivals } = writer.evidence;
  if (tftp === null || tftp.type === "not-tried") {
    return writer.notTested(flow, tftp?.reason ?? "it was not asked");
  }
  const [arrival] = arrivals.tftp;
  return arrival === undefined
    ? writer.lostOnTheWayThere(flow, "read requests to UDP 69 got no answer, and the server saw none")
    : writer.pass(flow, null, `a read request: ${describeArrival(arrival)}`);
}

function isRight(writer: CellWriter, read: TftpReadSighting): boolean {
  const { sizeBytes, sha256 } = writer.evidence.expectedFile;
  return read.outcome === "complete" && read.receivedBytes === sizeBytes && read.detail === sha256;
}

function judgeLargeBlocks(writer: CellWriter, small: TftpReadSighting, large: TftpReadSighting): Cell {
  const flow = "boot.tftp-data";
  const mtuBytes = reducedPathMtuBytes(writer.evidence);
  const { tftp } = writer.evidence;
  const fragmentCount = tftp?.type === "seen" ? (tftp.sighting.fragmentCount ?? 0) : 0;
  const isLate = isRight(writer, large) && large.elapsedMs > resentMs && small.elapsedMs <= resentMs;
  const size = large.agreedSizeBytes ?? large.blockSizeBytes;
  const evidence =
    `read ${small.receivedBytes} bytes in blocks of ${small.blockSizeBytes} from port ${small.serverPort}; ` +
    `blocks of ${size} `;
  if (isRight(writer, large) && !isLate && fragmentCount === 0) {
    return writer.pass(flow, small.elapsedMs, `${evidence}pass too`);
  }
  return writer.fault(flow, "degraded", {
    latencyMs: small.elapsedMs,
    evidence:
      `${evidence}${problemOf(isRight(writer, large), fragmentCount)}` +
      (mtuBytes === null ? "" : `; the largest packet that passes whole has ${mtuBytes} bytes`),
    causeCode: mtuBytes === null && fragmentCount === 0 ? "packet-loss" : "path-mtu",
    cause:
      mtuBytes === null && fragmentCount === 0
        ? "full packets are lost on the way"
        : `a link on the path carries ${mtuBytes ?? "fewer"} bytes, less than Ethernet's 1500; boot firmware cannot put fragments together`,
    remedy: mtuBytes === null ? null : pathMtuRemedy(writer.evidence, mtuBytes),
  });
}

function problemOf(hasCome: boolean, fragmentCount: number): string {
  if (!hasCome) {
    return "did not come";
  }
  return fragmentCount > 0 ? "came in fragments" : "came only when they were sent again";
}

function judgeData(writer: CellWriter, request: Cell): Cell {
  const flow = "boot.tftp-data";
  const { tftp } = writer.evidence;
  if (tftp === null || tftp.type === "not-tried") {
    return writer.notTested(flow, tftp?.reason ?? "it was not asked");
  }
  if (request.verdict === "blocked") {
    return writer.notTested(flow, "boot.tftp is blocked, so no data is sent");
  }
  const reads = tftp.sighting.reads.toSorted((left, right) => left.blockSizeBytes - right.blockSizeBytes);
  const [small] = reads;
  const large = reads.at(-1);
  if (small === undefined || large === undefined) {
    return writer.notTested(flow, "the agent reports no read");
  }
  if (isRight(writer, small)) {
    return judgeLargeBlocks(writer, small, large);
  }
  switch (small.outcome) {
    case "refused":
      return writer.notTested(flow, `the server refused the read: ${small.detail}`);
    case "complete":
    case "wrong-content":
      return writer.fault(flow, "blocked", {
        evidence: `${small.receivedBytes} bytes came that are not those of the file`,
        causeCode: "wrong-server",
        cause: "another TFTP server answers in place of this one, or something changes the data",
        remedy: null,
      });
    case "no-answer":
      return writer.lostOnTheWayBack(flow, "the server saw the request and answered; no data came");
    case "no-data":
      return writer.fault(flow, "blocked", {
        evidence: `port ${small.serverPort} answered, and after ${small.receivedBytes} bytes nothing more came`,
        causeCode: "filtered",
        cause: `${writer.device()} lets the first packet through and not the acknowledgements to the server's port`,
        remedy: writer.remedy(flow, "to-segment") ?? writer.remedy(flow, "to-server"),
      });
  }
}

export function judgeTftp(writer: CellWriter): Cell[] {
  const request = judgeRequest(writer);
  return [request, judgeData(writer, request)];
}
