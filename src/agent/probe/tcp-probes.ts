import { createHash } from "node:crypto";
import { request } from "node:http";
import type { Socket } from "node:net";
import { closedPortFlow } from "#plan/closed-port-flow.ts";
import { grantSocket, type SocketGrant } from "#plan/socket-grant.ts";
import { type TcpAttempt, tryTcp } from "#platform/tcp.ts";
import { NetworkError } from "#platform/network-error.ts";
import type { ProbeOrder } from "#wire/probe/probe-order.ts";
import type { ProbeSighting, TcpSighting } from "#wire/probe/probe-sighting.ts";
import { encodeFrame } from "#wire/control/frame.ts";
import { connectTransfer } from "../imaging/connect-transfer.ts";
import { connectPinned, PinError } from "#platform/pinned-tls.ts";
import { type ProbeContext, tcpTimeoutMs } from "./probe-context.ts";
import { flowWith } from "./probe-flows.ts";

type Order<Kind extends ProbeOrder["kind"]> = Extract<ProbeOrder, { readonly kind: Kind }>;

function describe(attempt: TcpAttempt): TcpSighting {
  const { socket, state, elapsedMs, detail } = attempt;
  const localEnd = socket === null ? null : `${socket.localAddress}:${socket.localPort}`;
  return { state, elapsedMs, detail, localEnd };
}

function targetOf(context: ProbeContext, port: number) {
  return { address: context.serverAddress, port, timeoutMs: tcpTimeoutMs };
}

/** First TCP alone, so that "no way" and "no TLS" are told apart, then a whole new TLS connection. */
export async function probeControl(context: ProbeContext, order: Order<"control">): Promise<ProbeSighting> {
  const flow = flowWith("agent.control", { "control.tcpPort": order.port });
  const grant = grantSocket(flow, { role: "agent", side: "connect" });
  const attempt = await tryTcp(grant, targetOf(context, order.port));
  attempt.socket?.destroy();
  const tcp = describe(attempt);
  if (attempt.state !== "open") {
    return { kind: "control", tcp, tlsMs: null };
  }
  return { kind: "control", ...(await tryTls(context, grant, order.port, tcp)) };
}

async function tryTls(
  context: ProbeContext,
  grant: SocketGrant,
  port: number,
  tcp: TcpSighting,
): Promise<{ readonly tcp: TcpSighting; readonly tlsMs: number | null }> {
  const startedAtMs = performance.now();
  try {
    const socket = await connectPinned(grant, targetOf(context, port), {
      siteKeyFingerprint: context.siteKeyFingerprint,
    });
    const localEnd = `${socket.localAddress}:${socket.localPort}`;
    socket.destroy();
    return { tcp: { ...tcp, localEnd }, tlsMs: performance.now() - startedAtMs };
  } catch (error) {
    if (!(error instanceof PinError || error instanceof NetworkError)) {
      throw error;
    }
    return { tcp: { ...tcp, state: "broken", detail: error.message.slice(0, 250) }, tlsMs: null };
  }
}

export async function probeClosedPorts(
  context: ProbeContext,
  order: Order<"closed-ports">,
): Promise<ProbeSighting> {
  const ports = await Promise.all(
    order.ports.map(async (port) => {
      const grant = grantSocket(closedPortFlow(port), { role: "agent", side: "connect" });
      const attempt = await tryTcp(grant, targetOf(context, port));
      attempt.socket?.destroy();
      return { port, ...describe(attempt) };
    }),
  );
  return { kind: "closed-ports", ports };
}

export async function probeHttp(context: ProbeContext, order: Order<"http">): Promise<ProbeSighting> {
  const flow = flowWith("boot.http", { "boot.httpPort": order.port });
  const grant = grantSocket(flow, { role: "firmware", side: "connect" });
  const startedAtMs = performance.now();
  const attempt = await tryTcp(grant, targetOf(context, order.port));
  const tcp = describe(attempt);
  const nothing = { status: null, receivedBytes: 0, sha256: null };
  if (attempt.socket === null) {
    return { kind: "http", tcp, ...nothing, elapsedMs: attempt.elapsedMs };
  }
  try {
    const read = await readRange(attempt.socket, context.serverAddress, order);
    return { kind: "http", tcp, ...read, elapsedMs: performance.now() - startedAtMs };
  } catch (error) {
    const detail = error instanceof Error ? error.message.slice(0, 250) : "broken";
    const elapsedMs = performance.now() - startedAtMs;
    return { kind: "http", tcp: { ...tcp, state: "broken", detail }, ...nothing, elapsedMs };
  } finally {
    attempt.socket.destroy();
  }
}

function readRange(
  socket: Socket,
  host: string,
  order: Order<"http">,
): Promise<{ readonly status: number; readonly receivedBytes: number; readonly sha256: string }> {
  const receivedBytesMax = order.lastByte - order.firstByte + 1;
  return new Promise((resolve, reject) => {
    const call = request({
      createConnection: () => socket,
      host,
      port: order.port,
      path: order.path,
      headers: { range: `bytes=${order.firstByte}-${order.lastByte}` },
      timeout: tcpTimeoutMs,
    });
    call.on("timeout", () => call.destroy(new Error(`no answer within ${tcpTimeoutMs} ms`)));
    call.on("error", reject);
    call.on("response", (response) => {
      const hash = createHash("sha256");
      let receivedBytes = 0;
      response.on("data", (part: Buffer) => {
        receivedBytes += part.byteLength;
        hash.update(part);
        if (receivedBytes > receivedBytesMax) {
          response.destroy(new Error("more came than was asked for"));
        }
      });
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, receivedBytes, sha256: hash.digest("hex") }),
      );
    });
    call.end();
  });
}

/** Whether a port opens, and then whether `use` of it succeeds; what breaks there is told in words. */
async function tryUse(
  context: ProbeContext,
  grant: SocketGrant,
  port: number,
  use: () => Promise<void>,
): Promise<{ readonly tcp: TcpSighting; readonly elapsedMs: number }> {
  const startedAtMs = performance.now();
  const attempt = await tryTcp(grant, targetOf(context, port));
  attempt.socket?.destroy();
  const tcp = describe(attempt);
  if (attempt.state !== "open") {
    return { tcp, elapsedMs: attempt.elapsedMs };
  }
  try {
    await use();
    return { tcp, elapsedMs: performance.now() - startedAtMs };
  } catch (error) {
    const detail = error instanceof Error ? error.message.slice(0, 250) : "broken";
    return { tcp: { ...tcp, state: "broken", detail }, elapsedMs: performance.now() - startedAtMs };
  }
}

/** A ticketed connection as a remote session makes it; the server ends it once it has seen the ticket. */
export async function probeRemote(context: ProbeContext, order: Order<"remote">): Promise<ProbeSighting> {
  const grant = grantSocket(flowWith("remote.control", { "remote.port": order.port }), {
    role: "agent",
    side: "connect",
  });
  const seen = await tryUse(context, grant, order.port, async () => {
    const { siteKeyFingerprint, identity } = context;
    const pinned = { siteKeyFingerprint, ...identity() };
    await showTicket(await connectPinned(grant, targetOf(context, order.port), pinned), order.ticket);
  });
  return { kind: "remote", ...seen };
}

/** Until the other side ends the connection. */
function showTicket(socket: Socket, ticket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(tcpTimeoutMs, () => socket.destroy(new Error(`no answer within ${tcpTimeoutMs} ms`)));
    socket.on("error", reject);
    socket.once("close", () => resolve());
    socket.on("end", () => socket.end());
    socket.resume();
    socket.write(encodeFrame({ type: "remote-join", ticket }));
  });
}

/** A ticketed transfer as a task makes it, over a connection of its own. */
export async function probeTransfer(context: ProbeContext, order: Order<"transfer">): Promise<ProbeSighting> {
  const grant = grantSocket(flowWith("transfer.data", { "transfer.port": order.port }), {
    role: "agent",
    side: "connect",
  });
  let received: { readonly receivedBytes: number; readonly sha256: string | null } = {
    receivedBytes: 0,
    sha256: null,
  };
  const seen = await tryUse(context, grant, order.port, async () => {
    const { siteKeyFingerprint, identity, serverAddress } = context;
    const client = await connectTransfer(
      { serverAddress: () => serverAddress, siteKeyFingerprint, identity },
      order,
    );
    const text = await client.readManifest();
    client.close();
    const sha256 = createHash("sha256").update(text).digest("hex");
    received = { receivedBytes: Buffer.byteLength(text), sha256 };
  });
  return { kind: "transfer", ...seen, ...received };
}
