import { randomBytes } from "node:crypto";
import { createServer, type TLSSocket } from "node:tls";
import type { Logger } from "pino";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { remotePort, type Settings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import { listenTcp, type TcpListener } from "#platform/tcp.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { FrameReader, frameSizeBytesMax } from "#wire/control/frame.ts";
import type { RemoteKind } from "#wire/control/management-messages.ts";
import { decodeRemoteJoin } from "#wire/control/remote-messages.ts";
import { ApiError } from "../api-error.ts";
import type { ComputerHistory } from "../computer-history.ts";
import { RemoteSession } from "../remote/remote-session.ts";
import type { Recordings, TerminalRecording } from "../remote/terminal-recording.ts";
import type { SiteAuthority } from "../site-authority.ts";
import type { ControlLink } from "./control-service.ts";

export type RemoteServiceDependencies = {
  readonly flows: () => readonly Flow[];
  readonly settings: () => Settings;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly authority: SiteAuthority;
  readonly clock: Clock;
  readonly log: Logger;
  readonly history: ComputerHistory;
  readonly recordings: Recordings;
  readonly findLink: (computerId: string) => ControlLink | null;
};

export type RemoteWish = {
  readonly computerId: string;
  readonly kind: RemoteKind;
  readonly operator: string;
  readonly columns: number;
  readonly rows: number;
  readonly isViewOnly: boolean;
};

/** Somebody who has not connected yet. */
type Pending = {
  readonly computerId: string;
  /** `null`: a probe, which is no session. */
  readonly sessionId: string | null;
  /** Where the frames of the connection go. */
  readonly connect: (socket: TLSSocket) => (value: unknown) => void;
  readonly settle: (problem: string | null) => void;
};

/** Where the computer is to connect, and how to close that again. */
type Door = { readonly port: number; readonly close: () => void };

const sessionCountMax = 500;
const handshakeMs = 10_000;
/** The user of the computer may be asked first. */
const joinPatienceMs = 45_000;

/** Terminals and files of computers, on a port of their own, on the one fixed port, or inside the control port. */
export class RemoteService {
  readonly #dependencies: RemoteServiceDependencies;
  /** Keyed by ticket. BOUNDED by `sessionCountMax`; each ends after `joinPatienceMs`. */
  readonly #pending = new Map<string, Pending>();
  /** Keyed by id. BOUNDED by `sessionCountMax`. */
  readonly #sessions = new Map<string, RemoteSession>();
  /** Listeners on a fixed port, keyed by address and port, with their sessions. BOUNDED by our interfaces. */
  readonly #fixed = new Map<string, { readonly listener: Promise<TcpListener>; users: number }>();
  /** Keyed by reason. BOUNDED by the reasons below. */
  readonly counters = new Map<string, number>();

  constructor(dependencies: RemoteServiceDependencies) {
    this.#dependencies = dependencies;
  }

  list(): readonly RemoteSession[] {
    return [...this.#sessions.values()];
  }

  find(id: string): RemoteSession | null {
    return this.#sessions.get(id) ?? null;
  }

  stop(): void {
    this.#sessions.forEach((session) => session.end("the server stops"));
  }

  /**
   * Asks the computer for a session and waits until it has connected.
   *
   * @throws ApiError 409 when it is not connected, refuses, or does not come; NetworkError when no port can be had
   */
  async open(wish: RemoteWish): Promise<RemoteSession> {
    const { findLink, clock, recordings } = this.#dependencies;
    const link = findLink(wish.computerId);
    if (link === null) {
      throw new ApiError(409, "not-connected", "the agent of this computer is not connected");
    }
    if (this.#sessions.size + this.#pending.size >= sessionCountMax) {
      throw new ApiError(409, "too-many", `${sessionCountMax} remote sessions are open; end some first`);
    }
    const door = await this.#openDoor(link);
    const id = `r-${randomBytes(8).toString("hex")}`;
    const { computerId, kind, operator, columns, rows, isViewOnly } = wish;
    const startedAtMs = clock.epochMs();
    const recording =
      kind === "terminal" && this.#dependencies.settings()["remote.recordTerminals"]
        ? await recordings.begin(id, { computerId, operator, columns, rows, nowMs: startedAtMs })
        : null;
    const session = this.#createSession(
      { id, computerId, kind, operator, port: door.port, startedAtMs },
      door,
      recording,
    );
    const ticket = randomBytes(32).toString("base64url");
    const problem = await new Promise<string | null>((resolve) => {
      const cancel = clock.after(joinPatienceMs, () => resolve("it did not connect in time"));
      const settle = (text: string | null): void => {
        cancel();
        resolve(text);
      };
      const connect = (socket: TLSSocket): ((value: unknown) => void) => {
        this.#sessions.set(id, session);
        session.connect(socket);
        return (value) => session.receive(value);
      };
      this.#pending.set(ticket, { computerId, sessionId: id, connect, settle });
      link.send({
        type: "remote-open",
        sessionId: id,
        kind,
        operator,
        columns,
        rows,
        isViewOnly,
        port: door.port,
        ticket,
      });
    });
    this.#pending.delete(ticket);
    if (problem !== null) {
      session.end(problem);
      throw new ApiError(409, "refused", `no ${kind} session: ${problem}`);
    }
    return session;
  }

  /** The agent will not connect. */
  refused(computerId: string, sessionId: string, reason: string): void {
    for (const pending of this.#pending.values()) {
      if (pending.computerId === computerId && pending.sessionId === sessionId) {
        pending.settle(reason);
      }
    }
  }

  /**
   * A connection that shows a ticket. What comes on it from now on goes to the function that is returned; `null`: the ticket
   * is not its own, or was used.
   */
  join(socket: TLSSocket, computerId: string, ticket: string): ((value: unknown) => void) | null {
    const pending = this.#pending.get(ticket);
    if (pending === undefined || pending.computerId !== computerId) {
      this.#count(pending === undefined ? "no-ticket" : "not-its-ticket");
      return null;
    }
    this.#pending.delete(ticket);
    this.#count("joined");
    const receive = pending.connect(socket);
    pending.settle(null);
    return receive;
  }

  /**
   * A door as a session's, for a verification: the connection that shows the ticket is ended, and nobody is asked.
   *
   * @throws NetworkError when no port can be had
   */
  async openProbe(link: ControlLink): Promise<{
    readonly port: number;
    readonly ticket: string;
    readonly isJoined: () => boolean;
    readonly close: () => void;
  }> {
    const door = await this.#openDoor(link);
    const ticket = randomBytes(32).toString("base64url");
    let isJoined = false;
    this.#pending.set(ticket, {
      computerId: link.computerId,
      sessionId: null,
      connect: (socket) => {
        socket.end();
        return () => undefined;
      },
      settle: () => {
        isJoined = true;
      },
    });
    const close = (): void => {
      this.#pending.delete(ticket);
      door.close();
    };
    return { port: door.port, ticket, isJoined: () => isJoined, close };
  }

  #createSession(
    facts: RemoteSession["facts"],
    door: Door,
    recording: TerminalRecording | null,
  ): RemoteSession {
    const { clock, history } = this.#dependencies;
    const { id, computerId, kind, operator, port } = facts;
    history.note(computerId, "remote-control", `${operator} opens a ${kind} session, TCP port ${port}`);
    return new RemoteSession(facts, {
      clock,
      recording,
      onEnd: (reason) => {
        this.#sessions.delete(id);
        door.close();
        history.note(computerId, "remote-control", `the ${kind} session of ${operator} has ended: ${reason}`);
      },
    });
  }

  async #openDoor(link: ControlLink): Promise<Door> {
    const { settings, log } = this.#dependencies;
    const wanted = remotePort(settings());
    if (wanted === "control") {
      return { port: link.serverPort, close: () => undefined };
    }
    const warn = (error: unknown): void => log.warn({ err: error }, "a remote port could not be closed");
    if (wanted === 0) {
      const listener = await this.#listen(link.serverAddress, 0);
      return { port: listener.localPort, close: () => void listener.close().catch(warn) };
    }
    const key = `${link.serverAddress}:${wanted}`;
    const shared = this.#fixed.get(key) ?? { listener: this.#listen(link.serverAddress, wanted), users: 0 };
    this.#fixed.set(key, shared);
    shared.users += 1;
    await shared.listener;
    const close = (): void => {
      shared.users -= 1;
      if (shared.users === 0) {
        this.#fixed.delete(key);
        shared.listener.then((listener) => listener.close()).catch(warn);
      }
    };
    return { port: wanted, close };
  }

  #listen(localAddress: Ipv4Address, localPort: number): Promise<TcpListener> {
    const { flows, tls, authority } = this.#dependencies;
    const grant = grantSocket(findFlow(flows(), "remote.control"), {
      role: "server",
      side: "listen",
      localAddress,
      localPort,
    });
    const server = createServer(
      {
        ...tls,
        ca: authority.certificatePem,
        minVersion: "TLSv1.3",
        requestCert: true,
        rejectUnauthorized: false,
        handshakeTimeout: handshakeMs,
      },
      (socket) => this.#accept(socket),
    );
    server.on("tlsClientError", () => this.#count("not-tls"));
    return listenTcp(grant, server);
  }

  /** On a port of our own: the certificate says who it is, the first frame what it comes for. */
  #accept(socket: TLSSocket): void {
    const { authority, clock } = this.#dependencies;
    socket.on("error", () => this.#count("broken"));
    const certificate = socket.getPeerX509Certificate();
    const subject = certificate === undefined ? null : authority.identify(certificate, clock.epochMs());
    if (subject === null) {
      this.#count("unknown-certificate");
      socket.destroy();
      return;
    }
    socket.setTimeout(handshakeMs, () => socket.destroy());
    const reader = new FrameReader();
    let take = (value: unknown): void => {
      const join = decodeRemoteJoin(value);
      const taken = join === null ? null : this.join(socket, subject.computerId, join.ticket);
      if (taken === null) {
        socket.destroy();
        return;
      }
      socket.setTimeout(0);
      reader.takesBytes = true;
      reader.sizeBytesMax = frameSizeBytesMax.afterAuthentication;
      take = taken;
    };
    socket.on("data", (part: Buffer) => {
      try {
        for (const value of reader.push(part)) {
          take(value);
        }
      } catch (error) {
        if (!(error instanceof WireError)) {
          throw error;
        }
        this.#count("malformed");
        socket.destroy();
      }
    });
  }

  #count(reason: string): void {
    this.counters.set(reason, (this.counters.get(reason) ?? 0) + 1);
  }
}
