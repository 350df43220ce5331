import { findFlow } from "#plan/flows.ts";
import type { FlowId } from "#plan/flow.ts";
import type { TcpSighting } from "#wire/probe/probe-sighting.ts";
import type { CellWriter } from "./cell.ts";
import type { Sighted, SightingOf } from "./evidence.ts";
import type { Cell } from "./verdict.ts";

/** An answer that takes longer makes firmware and agents try again. */
const lateMs = 1000;

type TcpKind = "control" | "http" | "transfer" | "remote";

/** Whether a connection stands, and took too long. */
export function isLate(sighted: Sighted<TcpKind>): boolean {
  return (
    sighted?.type === "seen" && sighted.sighting.tcp.state === "open" && latencyOf(sighted.sighting) > lateMs
  );
}

function latencyOf(sighting: SightingOf<TcpKind>): number {
  return sighting.kind === "control" ? sighting.tcp.elapsedMs + (sighting.tlsMs ?? 0) : sighting.elapsedMs;
}

/** What became of a TCP connection; `null` when it stands and the rest may be judged. */
function judgeConnection(writer: CellWriter, flow: FlowId, port: number, tcp: TcpSighting): Cell | null {
  const server = writer.evidence.prober?.serverAddress ?? "the server";
  const where = `TCP ${server}:${port}`;
  switch (tcp.state) {
    case "open":
      return null;
    case "silent":
      return writer.lostOnTheWayThere(
        flow,
        `no answer to a connection to ${where} in ${seconds(tcp.elapsedMs)}`,
      );
    case "refused":
      return writer.fault(flow, "blocked", {
        evidence: `${where} refused the connection`,
        causeCode: "refused-on-the-way",
        cause: `the server listens there, so ${writer.device()} refuses it in its name`,
        remedy: writer.remedy(flow, "to-server"),
      });
    case "unreachable":
      return writer.fault(flow, "blocked", {
        evidence: `a router says that ${where} cannot be reached (${tcp.detail ?? "no reason"})`,
        causeCode: "filtered",
        cause: `${writer.device()} has no route to the server, or rejects it`,
        remedy: writer.remedy(flow, "to-server"),
      });
    case "broken":
      return writer.fault(flow, "blocked", {
        evidence: `${where} was reached, but nothing sensible came: ${tcp.detail ?? "the connection broke"}`,
        causeCode: "wrong-server",
        cause: "something between the segment and the server answers in its place, or cuts the connection",
        remedy: writer.remedy(flow, "to-server"),
      });
  }
}

function seconds(valueMs: number): string {
  return `${(valueMs / 1000).toFixed(1)} s`;
}

function judgeTime(writer: CellWriter, flow: FlowId, latencyMs: number, evidence: string): Cell {
  if (latencyMs <= lateMs) {
    return writer.pass(flow, latencyMs, evidence);
  }
  return writer.fault(flow, "late", {
    latencyMs,
    evidence: `${evidence}; it took ${seconds(latencyMs)}, and was slow twice`,
    causeCode: "too-slow",
    cause: "packets are lost on the way, or the server is busy",
    remedy: null,
  });
}

export function judgeControl(writer: CellWriter): Cell {
  const flow = "agent.control";
  const { control, prober, flows } = writer.evidence;
  if (control === null || control.type === "not-tried") {
    return writer.notTested(flow, control?.reason ?? "it was not asked");
  }
  const { tcp } = control.sighting;
  const [port = 0] = portsOf(findFlow(flows, flow).ports);
  const failed = judgeConnection(writer, flow, port, tcp);
  return (
    failed ??
    judgeTime(
      writer,
      flow,
      latencyOf(control.sighting),
      `a new connection to TCP ${port} and TLS with the site's key, from ${tcp.localEnd}; ` +
        `the server sees this computer as ${prober?.address}`,
    )
  );
}

export function judgeHttp(writer: CellWriter): Cell {
  const flow = "boot.http";
  const { http, flows, expectedPart } = writer.evidence;
  if (http === null || http.type === "not-tried") {
    return writer.notTested(flow, http?.reason ?? "it was not asked");
  }
  const { tcp, status, receivedBytes, sha256, elapsedMs } = http.sighting;
  const [port = 0] = portsOf(findFlow(flows, flow).ports);
  const failed = judgeConnection(writer, flow, port, tcp);
  if (failed !== null) {
    return failed;
  }
  if (expectedPart === null) {
    return judgeTime(
      writer,
      flow,
      elapsedMs,
      `TCP ${port} answers with status ${status}; there are no boot files yet (portolan boot build)`,
    );
  }
  const isRight = status === 206 && sha256 === expectedPart.sha256;
  return isRight
    ? judgeTime(writer, flow, elapsedMs, `read ${receivedBytes} bytes of a boot file from TCP ${port}`)
    : writer.fault(flow, "blocked", {
        evidence: `TCP ${port} answered with status ${status} and ${receivedBytes} bytes that are not those of the boot file`,
        causeCode: "wrong-server",
        cause: "a proxy or another server answers in place of this one",
        remedy: writer.remedy(flow, "to-server"),
      });
}

export function judgeTransfer(writer: CellWriter): Cell {
  const flow = "transfer.data";
  const { transfer, transferPort, expectedManifest } = writer.evidence;
  if (transfer === null || transfer.type === "not-tried") {
    return writer.notTested(flow, transfer?.reason ?? "it was not asked");
  }
  const { tcp, receivedBytes, sha256, elapsedMs } = transfer.sighting;
  const failed = judgeConnection(writer, flow, transferPort ?? 0, tcp);
  if (failed !== null) {
    return failed;
  }
  return sha256 === expectedManifest.sha256
    ? judgeTime(writer, flow, elapsedMs, `read ${receivedBytes} bytes with a ticket from TCP ${transferPort}`)
    : writer.fault(flow, "blocked", {
        evidence: `TCP ${transferPort} was reached, but the bytes are not those that were sent`,
        causeCode: "wrong-server",
        cause: "something between the segment and the server changes the connection",
        remedy: null,
      });
}

/** Where remote control has a port of its own; inside the control port it stands and falls with that. */
export function judgeRemote(writer: CellWriter): Cell {
  const flow = "remote.control";
  const { remote, remotePort, isRemoteJoined } = writer.evidence;
  if (remote === null || remote.type === "not-tried") {
    return writer.notTested(flow, remote?.reason ?? "it was not asked");
  }
  const { tcp, elapsedMs } = remote.sighting;
  const failed = judgeConnection(writer, flow, remotePort ?? 0, tcp);
  if (failed !== null) {
    return failed;
  }
  return isRemoteJoined
    ? judgeTime(writer, flow, elapsedMs, `a ticketed TLS connection to TCP ${remotePort}`)
    : writer.fault(flow, "blocked", {
        evidence: `TCP ${remotePort} was reached, but the server did not see the ticket that was shown there`,
        causeCode: "wrong-server",
        cause: "something between the segment and the server answers in its place",
        remedy: null,
      });
}

export function portsOf(ports: { readonly from: number; readonly to: number } | readonly number[]): number[] {
  return "from" in ports ? [ports.from] : [...ports];
}

/** Ports that no computer needs. An open one is a fault only where a filter stands between that lets it through. */
export function judgeClosedPorts(writer: CellWriter): Cell[] {
  const { closed, closedPorts, segment } = writer.evidence;
  return closedPorts.map(({ name, port }) => {
    const flow = `closed.${name}` as const;
    if (closed === null || closed.type === "not-tried") {
      return writer.notTested(flow, closed?.reason ?? "it was not asked");
    }
    const sightings = closed.sighting.ports;
    const seen = sightings.find((sighting) => sighting.port === port);
    if (seen === undefined) {
      return writer.notTested(flow, `TCP ${port} was not tried`);
    }
    if (seen.state !== "open" && seen.state !== "broken") {
      const how = { refused: "is refused", silent: "does not answer", unreachable: "is unreachable" };
      return writer.pass(flow, null, `TCP ${port} ${how[seen.state]}: closed`);
    }
    const unusedPort = closedPorts.find((other) => other.name === "unused")?.port;
    const unused = sightings.find((sighting) => sighting.port === unusedPort);
    const isFiltered = unused?.state === "silent" || unused?.state === "unreachable";
    if (segment.interfaceName !== null || !isFiltered) {
      return writer.notTested(
        flow,
        `TCP ${port} is open; nothing filters between ${writer.place()} and the server, so nothing could close it`,
      );
    }
    return writer.fault(flow, "degraded", {
      evidence: `TCP ${port} is open, and no flow of this segment needs it`,
      causeCode: "port-open",
      cause: `${writer.device()} lets more through than the plan asks for`,
      remedy: `remove the rule that lets ${writer.place()} reach TCP ${port} of the server`,
    });
  });
}
