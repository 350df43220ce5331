import { createServer, type Server, type TLSSocket } from "node:tls";
import type { Logger } from "pino";
import type { ControlPlace } from "#plan/control-places.ts";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { fixedPorts, grantListeners } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import { listenTcp, type TcpListener } from "#platform/tcp.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { decodeRemoteJoin } from "#wire/control/remote-messages.ts";
import { encodeFrame, FrameReader, frameSizeBytesMax } from "#wire/control/frame.ts";
import {
  type AgentMessage,
  decodeAgentMessage,
  decodeEnrollMessage,
  type Environment,
  type HelloMessage,
  type ServerDiscovery,
  type ServerMessage,
} from "#wire/control/message.ts";
import type { CertificateSubject, SiteAuthority } from "../site-authority.ts";
import { EnrolmentDesk, type EnrolmentDeskDependencies } from "./enrolment-desk.ts";
import { ListenerSet } from "./listener-set.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { handshakeTimeoutMs, StrangerList } from "./stranger-list.ts";

/** One authenticated connection of a computer's agent. */
export type ControlLink = {
  readonly computerId: string;
  readonly environment: Environment;
  readonly agentRunId: string;
  readonly address: Ipv4Address;
  /** Our own address on this connection: the one this computer can reach us at. */
  readonly serverAddress: Ipv4Address;
  readonly serverPort: number;
  /** Our interface with that address; `null`: it came in by another address of ours. */
  readonly interfaceName: string | null;
  /** Epoch ms. */
  readonly connectedAtMs: number;
  readonly hello: HelloMessage;
  /** False when the agent reads too slowly and was cut off. */
  send(message: ServerMessage): boolean;
};

export type ControlServiceOptions = {
  /** The plan as it is now; a socket is opened from what it says then. */
  readonly flows: () => readonly Flow[];
  /** Where it listens now. */
  readonly places: () => readonly ControlPlace[];
  readonly tls: { readonly key: string; readonly cert: string };
  /** What agents are told about it, to explain silence to themselves later. */
  readonly discovery: () => ServerDiscovery | null;
};

export type ControlServiceDependencies = {
  readonly authority: SiteAuthority;
  readonly clock: Clock;
  readonly log: Logger;
  readonly decideEnrolment: EnrolmentDeskDependencies["decideEnrolment"];
  /** The computer's name when its certificate still counts, or why not. */
  readonly admit: (
    subject: CertificateSubject,
    hello: HelloMessage,
  ) => Promise<{ readonly name: string } | { readonly refusal: string }>;
  readonly onConnected: (link: ControlLink) => void;
  readonly onDisconnected: (link: ControlLink) => void;
  readonly onMessage: (link: ControlLink, message: AgentMessage) => void;
  /** A remote session inside the control port: where its frames go, `null` when its ticket is not good. */
  readonly joinRemote: (
    socket: TLSSocket,
    computerId: string,
    ticket: string,
  ) => ((value: unknown) => void) | null;
};

/** For a refused peer to read why. */
const refusalPatienceMs = 3000;
const pingDelayMs = 15_000;
const silenceMsMax = 60_000;
const outgoingBytesMax = 8 << 20;

/** The one connection of each agent. Nothing is read from it before it is authenticated but one bounded enrolment. */
export class ControlService {
  readonly #options: ControlServiceOptions;
  readonly #dependencies: ControlServiceDependencies;
  readonly #listeners = new ListenerSet<TcpListener>();
  /** Keyed by computer id; a newer connection replaces an older. BOUNDED by enrolled computers. */
  readonly #links = new Map<string, { link: ControlLink; socket: TLSSocket }>();
  /** Keyed by reason. BOUNDED by the reasons below. */
  readonly counters = new Map<string, number>();
  /** Who has been told no; nothing more is read. */
  readonly #refused = new WeakSet<TLSSocket>();
  readonly #strangers: StrangerList;
  readonly #enrolments: EnrolmentDesk;
  readonly #silence = new SilenceWatch(silenceMsMax);
  #cancelPing: () => void = () => undefined;

  constructor(options: ControlServiceOptions, dependencies: ControlServiceDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#strangers = new StrangerList(dependencies.clock);
    this.#enrolments = new EnrolmentDesk({
      ...dependencies,
      count: (reason) => this.#count(reason),
      refuse: (socket, counter, reason) => this.#refuse(socket, counter, reason),
      // Pings are answered while it waits.
      onWaiting: (socket) => socket.setTimeout(silenceMsMax),
    });
  }

  /**
   * Listens as the plan says now; called again when it has changed. Connections on a port that is not in it any more end.
   *
   * @throws NetworkError when a control port cannot be had on a named interface; what was open stays open
   */
  async start(): Promise<void> {
    const { flows, places } = this.#options;
    const grants = grantListeners(findFlow(flows(), "agent.control"), places());
    await this.#listeners.follow(grants, (grant) => listenTcp(grant, this.#createServer()));
    this.#cancelPing();
    this.#pingLater();
  }

  async stop(): Promise<void> {
    this.#cancelPing();
    await this.#listeners.close();
  }

  /** Where agents are to connect: the plan's port, or while that cannot be had an older one. */
  openPort(): number {
    const [planned = 0, ...older] = fixedPorts(findFlow(this.#options.flows(), "agent.control"));
    return (
      [planned, ...older].find((port) => this.#listeners.has((grant) => grant.localPort === port)) ?? planned
    );
  }

  /** Where agents of an interface's segment are to connect: the plan's address, or while that cannot be had an older one. */
  openAddress(interfaceName: string): Ipv4Address {
    const places = this.#options.places().filter(({ name }) => name === interfaceName);
    const port = this.openPort();
    const open = places.find(({ address }) => this.isOpen(address, port)) ?? places[0];
    return open?.address ?? Ipv4Address.any;
  }

  isOpen(address: Ipv4Address, port: number): boolean {
    return this.#listeners.has((grant) => grant.localAddress === address && grant.localPort === port);
  }

  find(computerId: string): ControlLink | null {
    return this.#links.get(computerId)?.link ?? null;
  }

  get linkCount(): number {
    return this.#links.size;
  }

  /** Every agent that is connected now. */
  *links(): Generator<ControlLink, void> {
    for (const { link } of this.#links.values()) {
      yield link;
    }
  }

  /** Ends a computer's connection, for one that is forgotten or revoked. */
  disconnect(computerId: string): void {
    this.#links.get(computerId)?.socket.destroy();
  }

  /** Asks again for everyone who waits with an open line; called when something was approved. */
  reconsider(): Promise<void> {
    return this.#enrolments.reconsider();
  }

  #count(reason: string): void {
    this.counters.set(reason, (this.counters.get(reason) ?? 0) + 1);
  }

  #createServer(): Server {
    const server = createServer(
      {
        ...this.#options.tls,
        ca: this.#dependencies.authority.certificatePem,
        minVersion: "TLSv1.3",
        requestCert: true,
        rejectUnauthorized: false,
        handshakeTimeout: handshakeTimeoutMs,
      },
      (socket) => this.#accept(socket),
    );
    server.on("tlsClientError", () => this.#count("not-tls"));
    return server;
  }

  #accept(socket: TLSSocket): void {
    const address = socket.remoteAddress ?? "";
    socket.on("error", () => this.#count("broken"));
    const certificate = socket.getPeerX509Certificate();
    const { authority, clock } = this.#dependencies;
    const subject = certificate === undefined ? null : authority.identify(certificate, clock.epochMs());
    const hasRoom = this.#strangers.add(socket, {
      owner: subject?.computerId ?? address,
      isCertified: subject !== null,
      mayWait: () => this.#enrolments.isWaiting(socket),
      onLate: () => {
        this.#count("too-slow");
        socket.destroy();
      },
    });
    if (!hasRoom) {
      this.#count("too-many-strangers");
      socket.destroy();
      return;
    }
    socket.once("close", () => this.#enrolments.leave(socket));
    this.#read(socket, address, certificate !== undefined, subject);
  }

  /** One message decides what a connection may say next. */
  #read(
    socket: TLSSocket,
    address: string,
    hasCertificate: boolean,
    subject: CertificateSubject | null,
  ): void {
    const reader = new FrameReader();
    let handle = (value: unknown): void => {
      if (subject !== null) {
        const join = decodeRemoteJoin(value);
        if (join !== null) {
          handle = this.#joinRemote(socket, { reader, computerId: subject.computerId, ticket: join.ticket });
          return;
        }
        const message = decodeAgentMessage(value);
        if (message.type !== "hello") {
          this.#refuse(socket, "out-of-order", "a connection begins with hello");
          return;
        }
        reader.sizeBytesMax = frameSizeBytesMax.afterAuthentication;
        handle = (next) => this.#receive(socket, subject.computerId, next);
        this.#admit(socket, subject, message).catch((error: unknown) => this.#fail(socket, error));
      } else if (hasCertificate) {
        const reason = "this certificate is not of this site, or its time is over";
        this.#refuse(socket, "unknown-certificate", reason);
      } else {
        handle = (next) => this.#receiveFromStranger(socket, next);
        this.#enrolments
          .receive(socket, decodeEnrollMessage(value))
          .catch((error: unknown) => this.#fail(socket, error));
      }
    };
    socket.on("data", (bytes: Buffer) => {
      try {
        for (const value of reader.push(bytes)) {
          if (this.#refused.has(socket)) {
            return;
          }
          handle(value);
        }
      } catch (error) {
        if (!(error instanceof WireError)) {
          throw error;
        }
        this.#count("malformed");
        this.#dependencies.log.debug({ err: error, address }, "control: malformed");
        socket.destroy();
      }
    });
  }

  #joinRemote(
    socket: TLSSocket,
    given: { readonly reader: FrameReader; readonly computerId: string; readonly ticket: string },
  ): (value: unknown) => void {
    const { reader, computerId, ticket } = given;
    const take = this.#dependencies.joinRemote(socket, computerId, ticket);
    if (take === null) {
      this.#count("bad-remote-ticket");
      socket.destroy();
      return () => undefined;
    }
    this.#count("remote-session");
    this.#strangers.remove(socket);
    socket.setTimeout(0);
    reader.takesBytes = true;
    reader.sizeBytesMax = frameSizeBytesMax.afterAuthentication;
    return take;
  }

  /** After its enrolment a stranger may only show that it is still there. */
  #receiveFromStranger(socket: TLSSocket, value: unknown): void {
    if (!this.#enrolments.isWaiting(socket) || decodeAgentMessage(value).type !== "pong") {
      this.#refuse(socket, "out-of-order", "one enrolment, then only its answer");
    }
  }

  async #admit(socket: TLSSocket, subject: CertificateSubject, hello: HelloMessage): Promise<void> {
    if (hello.environment !== subject.role) {
      this.#refuse(socket, "wrong-role", `this certificate is for ${subject.role}`);
      return;
    }
    const admission = await this.#dependencies.admit(subject, hello);
    if ("refusal" in admission) {
      this.#refuse(socket, "not-admitted", admission.refusal);
      return;
    }
    const { computerId } = subject;
    const serverAddress = plainAddress(socket.localAddress);
    const place = this.#options.places().find(({ address }) => address === serverAddress);
    const link: ControlLink = {
      computerId,
      environment: hello.environment,
      agentRunId: hello.agentRunId,
      address: plainAddress(socket.remoteAddress),
      serverAddress,
      serverPort: socket.localPort ?? 0,
      interfaceName: place?.name ?? null,
      connectedAtMs: this.#dependencies.clock.epochMs(),
      hello,
      send: (message) => this.#send(socket, message),
    };
    const older = this.#links.get(computerId);
    this.#links.set(computerId, { link, socket });
    older?.socket.destroy();
    this.#strangers.remove(socket);
    socket.setTimeout(silenceMsMax);
    socket.setNoDelay(true);
    socket.once("close", () => {
      if (this.#links.get(computerId)?.link === link) {
        this.#links.delete(computerId);
        this.#dependencies.onDisconnected(link);
      }
    });
    const discovery = this.#options.discovery();
    write(socket, { type: "welcome", computerId, name: admission.name, discovery });
    this.#dependencies.onConnected(link);
  }

  #receive(socket: TLSSocket, computerId: string, value: unknown): void {
    const message = decodeAgentMessage(value);
    const entry = this.#links.get(computerId);
    if (entry?.socket !== socket || message.type === "hello") {
      this.#count("out-of-order");
      return;
    }
    if (message.type !== "pong") {
      this.#dependencies.onMessage(entry.link, message);
    }
  }

  #send(socket: TLSSocket, message: ServerMessage): boolean {
    if (socket.writableLength > outgoingBytesMax) {
      this.#count("slow-consumer");
      socket.destroy(new Error("the agent reads too slowly"));
      return false;
    }
    write(socket, message);
    return true;
  }

  #refuse(socket: TLSSocket, counter: string, reason: string): void {
    this.#count(counter);
    this.#enrolments.leave(socket);
    this.#refused.add(socket);
    socket.end(encodeFrame({ type: "refused", reason } satisfies ServerMessage));
    const cancel = this.#dependencies.clock.after(refusalPatienceMs, () => socket.destroy());
    socket.once("close", cancel);
  }

  #fail(socket: TLSSocket, error: unknown): void {
    this.#count("failed");
    this.#dependencies.log.warn({ err: error }, "control: a connection could not be served");
    socket.destroy();
  }

  #pingLater(): void {
    this.#cancelPing = this.#dependencies.clock.after(pingDelayMs, () => {
      for (const { socket } of this.#links.values()) {
        if (this.#silence.isSilent(socket, this.#dependencies.clock.monotonicMs())) {
          this.#count("silent");
          socket.destroy();
        }
        this.#send(socket, { type: "ping" });
      }
      for (const socket of this.#enrolments.waiting()) {
        write(socket, { type: "ping" });
      }
      this.#pingLater();
    });
  }
}

function write(socket: TLSSocket, message: ServerMessage): void {
  socket.write(encodeFrame(message));
}

function plainAddress(text: string | undefined): Ipv4Address {
  return Ipv4Address.parse((text ?? "0.0.0.0").replace(/^::ffff:/, ""));
}
