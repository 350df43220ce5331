import { createConnection, type Server, type Socket } from "node:net";
import { connect as connectTlsSocket, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { SocketGrant } from "#plan/socket-grant.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { candidatePorts } from "./candidate-ports.ts";
import { errnoOf, explainOpenFailure } from "./explain-open-failure.ts";
import { NetworkError } from "./network-error.ts";
import { processSockets } from "./open-socket-list.ts";

export type TcpListener = {
  readonly localPort: number;
  /** Stops accepting and ends the connections it has. */
  readonly close: () => Promise<void>;
};

/** Connections that wait to be accepted: a room, or all agents of a site, come at the same moment. The kernel caps it. */
const backlogCount = 4096;

function listenOnce(server: Server, address: Ipv4Address, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, exclusive: true, backlog: backlogCount }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/**
 * Listens with a `net`, `tls`, `http` or `https` server as the grant says.
 *
 * @throws NetworkError `port-in-use` | `no-privilege` | `address-not-available`
 */
export async function listenTcp(grant: SocketGrant, server: Server): Promise<TcpListener> {
  const connections = new Set<Socket>();
  server.on("connection", (socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  const ports = candidatePorts(grant);
  for (const [index, port] of ports.entries()) {
    try {
      await listenOnce(server, grant.localAddress, port);
      break;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      if (code !== "EADDRINUSE" || index === ports.length - 1) {
        const cause = error instanceof Error ? error : new Error(String(error));
        throw explainOpenFailure(grant, errnoOf(code), cause);
      }
    }
  }
  const bound = server.address();
  const localPort = bound !== null && typeof bound === "object" ? bound.port : grant.localPort;
  const remove = processSockets.add({
    flowId: grant.flowId,
    transport: "tcp",
    interfaceName: grant.interfaceName,
    localAddress: grant.localAddress,
    localPort,
    groups: [],
  });
  const close = async (): Promise<void> => {
    remove();
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const connection of connections) {
      connection.destroy();
    }
    await closed;
  };
  return { localPort, close };
}

export type TcpTarget = {
  readonly address: Ipv4Address;
  readonly port: number;
  readonly timeoutMs: number;
  /** For the TLS handshake, once TCP is connected; absent: what is left of `timeoutMs`. */
  readonly handshakeTimeoutMs?: number;
};

/** The TCP side of a connection a grant allows. The caller owns the socket. */
function openConnection(grant: SocketGrant, target: TcpTarget): Socket {
  const bound = grant.localAddress === Ipv4Address.any ? {} : { localAddress: grant.localAddress };
  return createConnection({ host: target.address, port: target.port, ...bound });
}

/**
 * Connects by TLS as the grant says.
 *
 * @throws NetworkError `system-call-failed` when there is no answer in time, or the connection is refused
 */
export function connectTls(
  grant: SocketGrant,
  target: TcpTarget,
  options: ConnectionOptions,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const tcp = openConnection(grant, target);
    const socket = connectTlsSocket({ ...options, socket: tcp });
    const limit = (limitMs: number): NodeJS.Timeout =>
      setTimeout(() => socket.destroy(new Error(`no answer within ${limitMs} ms`)), limitMs);
    let timer = limit(target.timeoutMs);
    const { handshakeTimeoutMs } = target;
    if (handshakeTimeoutMs !== undefined) {
      tcp.once("connect", () => {
        clearTimeout(timer);
        timer = limit(handshakeTimeoutMs);
      });
    }
    const fail = (error: Error): void => {
      clearTimeout(timer);
      const where = `${target.address}:${target.port}`;
      reject(
        new NetworkError(
          "system-call-failed",
          `${where} (${grant.flowId}) could not be reached: ${error.message}`,
          {
            cause: error,
          },
        ),
      );
    };
    tcp.once("error", fail);
    socket.once("error", fail);
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      socket.off("error", fail);
      const remove = processSockets.add({
        flowId: grant.flowId,
        transport: "tcp",
        interfaceName: grant.interfaceName,
        localAddress: (tcp.localAddress ?? grant.localAddress) as Ipv4Address,
        localPort: tcp.localPort ?? 0,
        groups: [],
      });
      socket.once("close", remove);
      resolve(socket);
    });
  });
}

/** How an attempt to connect ended. `silent`: nobody answered in time. */
export type TcpAttempt = {
  readonly state: "open" | "refused" | "silent" | "unreachable";
  readonly elapsedMs: number;
  /** Open when the state is; the caller owns it. */
  readonly socket: Socket | null;
  /** The system's word, such as `ECONNREFUSED`. */
  readonly detail: string | null;
};

/** Tries to connect and says how it went; never throws. */
export function tryTcp(grant: SocketGrant, target: TcpTarget): Promise<TcpAttempt> {
  const startedAtMs = performance.now();
  return new Promise((resolve) => {
    const socket = openConnection(grant, target);
    const end = (attempt: Omit<TcpAttempt, "elapsedMs">): void => {
      clearTimeout(timer);
      resolve({ ...attempt, elapsedMs: performance.now() - startedAtMs });
    };
    const timer = setTimeout(() => {
      socket.destroy();
      end({ state: "silent", socket: null, detail: null });
    }, target.timeoutMs);
    socket.on("error", (error) => {
      const code = "code" in error ? String(error.code) : error.message;
      const state =
        code === "ECONNREFUSED" ? "refused" : code === "ETIMEDOUT" ? "silent" : ("unreachable" as const);
      end({ state, socket: null, detail: code });
    });
    socket.once("connect", () => {
      const remove = processSockets.add({
        flowId: grant.flowId,
        transport: "tcp",
        interfaceName: grant.interfaceName,
        localAddress: (socket.localAddress ?? grant.localAddress) as Ipv4Address,
        localPort: socket.localPort ?? 0,
        groups: [],
      });
      socket.once("close", remove);
      end({ state: "open", socket, detail: null });
    });
  });
}
