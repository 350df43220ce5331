import { randomBytes } from "node:crypto";
import { createServer, type TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { RateCap } from "#engine/transfer/rate-cap.ts";
import type { ControlPlace } from "#plan/control-places.ts";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { grantListeners, grantSocket, type SocketGrant } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import { listenTcp, type TcpListener } from "#platform/tcp.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { ChunkStore } from "../chunk-store.ts";
import type { SiteAuthority } from "../site-authority.ts";
import { ListenerSet } from "./listener-set.ts";
import { serveTransfer, type TransferRight } from "./transfer-conversation.ts";

export type TransferServiceOptions = {
  readonly flows: () => readonly Flow[];
  /** The addresses that agents are connected to. */
  readonly places: () => readonly ControlPlace[];
  /** Mbit/s of all transfers together; 0 for no cap. */
  readonly maxMbps: () => number;
  readonly tls: { readonly key: string; readonly cert: string };
};

export type TransferServiceDependencies = {
  readonly authority: SiteAuthority;
  readonly clock: Clock;
  readonly log: Logger;
  readonly chunks: ChunkStore;
  /** The site's signature of an image, JSON text. */
  readonly readSignature: (imageId: string) => Promise<string>;
};

/** The right of one computer to one transfer. */
type Ticket = {
  readonly computerId: string;
  readonly right: TransferRight;
  readonly expiresAtMs: number;
  /** Connections it was shown on. BOUNDED by what its holder opens. */
  readonly connections: Set<TLSSocket>;
  /** Where it is shown. */
  readonly listener: TcpListener;
};

const ticketLifetimeMs = 6 * 3_600_000;
const ticketCountMax = 10_000;
const handshakeMs = 10_000;

/** Moves manifests and chunks over TLS for whoever holds a ticket and the certificate it was made out to. */
export class TransferService {
  readonly #options: TransferServiceOptions;
  readonly #dependencies: TransferServiceDependencies;
  /** Keyed by ticket text. BOUNDED by `ticketCountMax`; each ends by its time. */
  readonly #tickets = new Map<string, Ticket>();
  readonly #listeners = new ListenerSet<TcpListener>();
  readonly #cap = new RateCap();
  /** Keyed by reason. BOUNDED by the reasons of this file and of the conversation. */
  readonly counters = new Map<string, number>();

  constructor(options: TransferServiceOptions, dependencies: TransferServiceDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /**
   * Opens the static port, when the plan has one; called again when the plan has changed. A port that is not in it any
   * more stays open for the tickets that name it.
   *
   * @throws NetworkError when it cannot be had on a named interface; what was open stays open
   */
  async start(): Promise<void> {
    const { flows, places } = this.#options;
    const grants = grantListeners(findFlow(flows(), "transfer.data"), places());
    await this.#listeners.follow(
      grants,
      (grant) => this.#listen(grant),
      async (listener) => {
        if (!this.#isNeeded(listener)) {
          await listener.close();
        }
      },
    );
  }

  /**
   * A ticket for a computer, and the port to show it at.
   *
   * @throws NetworkError when no port can be had
   */
  async issue(given: {
    readonly computerId: string;
    readonly serverAddress: Ipv4Address;
    readonly interfaceName: string | null;
    readonly right: TransferRight;
  }): Promise<{ readonly port: number; readonly ticket: string }> {
    this.#forgetExpired();
    if (this.#tickets.size >= ticketCountMax) {
      throw new Error(`${ticketCountMax} transfers are open; wait for some to end`);
    }
    const listener = await this.#listenerFor(given.serverAddress, given.interfaceName);
    const ticket = randomBytes(32).toString("base64url");
    this.#tickets.set(ticket, {
      computerId: given.computerId,
      right: given.right,
      expiresAtMs: this.#dependencies.clock.epochMs() + ticketLifetimeMs,
      connections: new Set(),
      listener,
    });
    return { port: listener.localPort, ticket };
  }

  /** The transfer is over: the ticket is void and a port of its own is closed. */
  revoke(ticket: string): void {
    const found = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    for (const socket of found?.connections ?? []) {
      socket.destroy();
    }
    if (found !== undefined && !this.#isNeeded(found.listener)) {
      found.listener
        .close()
        .catch((error: unknown) => this.#dependencies.log.warn({ err: error }, "transfer"));
    }
  }

  async stop(): Promise<void> {
    for (const ticket of this.#tickets.keys()) {
      this.revoke(ticket);
    }
    await this.#listeners.close();
  }

  #count(reason: string): void {
    this.counters.set(reason, (this.counters.get(reason) ?? 0) + 1);
  }

  #forgetExpired(): void {
    const nowMs = this.#dependencies.clock.epochMs();
    for (const [text, ticket] of this.#tickets) {
      if (ticket.expiresAtMs < nowMs) {
        this.revoke(text);
      }
    }
  }

  /** A port of its own, which closes with the last ticket for it, stays while a ticket is out. */
  #isNeeded(listener: TcpListener): boolean {
    return (
      this.#listeners.list().includes(listener) ||
      [...this.#tickets.values()].some((ticket) => ticket.listener === listener)
    );
  }

  #listenerFor(address: Ipv4Address, interfaceName: string | null): Promise<TcpListener> {
    const flow = findFlow(this.#options.flows(), "transfer.data");
    if (flow.dynamic) {
      return this.#listen(
        grantSocket(flow, { role: "server", side: "listen", interfaceName, localAddress: address }),
      );
    }
    const standing = this.#listeners.find(({ localAddress }) => localAddress === address);
    if (standing === null) {
      throw new Error(`the transfer port is not open on ${address}; portolan status says why`);
    }
    return Promise.resolve(standing);
  }

  #listen(grant: SocketGrant): Promise<TcpListener> {
    const server = createServer(
      {
        ...this.#options.tls,
        ca: this.#dependencies.authority.certificatePem,
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

  #accept(socket: TLSSocket): void {
    serveTransfer(socket, {
      chunks: this.#dependencies.chunks,
      clock: this.#dependencies.clock,
      readSignature: this.#dependencies.readSignature,
      pace: (sizeBytes) => this.#pace(sizeBytes),
      count: (reason) => this.#count(reason),
      redeem: (text) => this.#redeem(socket, text),
    });
  }

  #pace(sizeBytes: number): Promise<void> {
    const { clock } = this.#dependencies;
    const delayMs = this.#cap.take(sizeBytes, this.#options.maxMbps(), clock.monotonicMs());
    return delayMs < 1
      ? Promise.resolve()
      : new Promise((resolve) => {
          clock.after(delayMs, resolve);
        });
  }

  /** Bound to the computer: a stolen ticket is worth nothing without its certificate. */
  #redeem(socket: TLSSocket, text: string): TransferRight | null {
    const { authority, clock } = this.#dependencies;
    const ticket = this.#tickets.get(text);
    const certificate = socket.getPeerX509Certificate();
    const subject = certificate === undefined ? null : authority.identify(certificate, clock.epochMs());
    if (ticket === undefined || ticket.expiresAtMs < clock.epochMs()) {
      this.#count("no-ticket");
      return null;
    }
    if (subject?.computerId !== ticket.computerId) {
      this.#count("not-its-ticket");
      return null;
    }
    this.#count("redeemed");
    ticket.connections.add(socket);
    socket.once("close", () => ticket.connections.delete(socket));
    return ticket.right;
  }
}
