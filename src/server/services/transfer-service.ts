import { randomBytes } from "node:crypto";
import { createServer, type TLSSocket } from "node:tls";
import type { Logger } from "pino";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import { listenTcp, type TcpListener } from "#platform/tcp.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { FrameReader } from "#wire/control/frame.ts";
import { JsonFields } from "#wire/control/json-fields.ts";
import type { ChunkStore } from "../chunk-store.ts";
import type { SiteAuthority } from "../site-authority.ts";

export type TransferServiceOptions = {
  readonly flows: () => readonly Flow[];
  /** 0: every ticket gets a port of its own, closed again after it. */
  readonly transferPort: number;
  readonly tls: { readonly key: string; readonly cert: string };
};

export type TransferServiceDependencies = {
  readonly authority: SiteAuthority;
  readonly clock: Clock;
  readonly log: Logger;
  readonly chunks: ChunkStore;
};

/** The right of one computer to the chunks of one image. */
type Ticket = {
  readonly computerId: string;
  readonly manifestText: string;
  readonly chunkHashes: ReadonlySet<string>;
  readonly expiresAtMs: number;
  readonly release: () => void;
};

const ticketLifetimeMs = 6 * 3_600_000;
const ticketCountMax = 10_000;
const firstFrameMs = 10_000;
const idleMsMax = 120_000;

/** Serves manifests and chunks over TLS to whoever holds a ticket and the certificate it was made out to. */
export class TransferService {
  readonly #options: TransferServiceOptions;
  readonly #dependencies: TransferServiceDependencies;
  /** Keyed by ticket text. BOUNDED by `ticketCountMax`; each ends by its time. */
  readonly #tickets = new Map<string, Ticket>();
  /** Static listeners, keyed by address. BOUNDED by our interfaces. */
  readonly #listeners = new Map<Ipv4Address, Promise<TcpListener>>();
  /** Keyed by reason. BOUNDED by the reasons below. */
  readonly counters = new Map<string, number>();

  constructor(options: TransferServiceOptions, dependencies: TransferServiceDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
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
    readonly manifestText: string;
    readonly chunkHashes: ReadonlySet<string>;
  }): Promise<{ readonly port: number; readonly ticket: string }> {
    this.#forgetExpired();
    if (this.#tickets.size >= ticketCountMax) {
      throw new Error(`${ticketCountMax} transfers are open; wait for some to end`);
    }
    const listener = await this.#listenerFor(given.serverAddress, given.interfaceName);
    const ticket = randomBytes(32).toString("base64url");
    const isOwn = this.#options.transferPort === 0;
    this.#tickets.set(ticket, {
      computerId: given.computerId,
      manifestText: given.manifestText,
      chunkHashes: given.chunkHashes,
      expiresAtMs: this.#dependencies.clock.epochMs() + ticketLifetimeMs,
      release: () => {
        if (isOwn) {
          listener.close().catch((error: unknown) => this.#dependencies.log.warn({ err: error }, "transfer"));
        }
      },
    });
    return { port: listener.localPort, ticket };
  }

  /** The transfer is over: the ticket is void and a port of its own is closed. */
  revoke(ticket: string): void {
    const found = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    found?.release();
  }

  async stop(): Promise<void> {
    for (const ticket of this.#tickets.keys()) {
      this.revoke(ticket);
    }
    const listeners = await Promise.all(this.#listeners.values());
    await Promise.all(listeners.map((listener) => listener.close()));
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

  #listenerFor(address: Ipv4Address, interfaceName: string | null): Promise<TcpListener> {
    if (this.#options.transferPort === 0) {
      return this.#listen(address, interfaceName);
    }
    const known = this.#listeners.get(address);
    const listener = known ?? this.#listen(address, interfaceName);
    this.#listeners.set(address, listener);
    return listener;
  }

  #listen(address: Ipv4Address, interfaceName: string | null): Promise<TcpListener> {
    const grant = grantSocket(findFlow(this.#options.flows(), "transfer.data"), {
      role: "server",
      side: "listen",
      interfaceName,
      localAddress: address,
      localPort: this.#options.transferPort,
    });
    const server = createServer(
      {
        ...this.#options.tls,
        ca: this.#dependencies.authority.certificatePem,
        minVersion: "TLSv1.3",
        requestCert: true,
        rejectUnauthorized: false,
        handshakeTimeout: firstFrameMs,
      },
      (socket) => this.#accept(socket),
    );
    server.on("tlsClientError", () => this.#count("not-tls"));
    return listenTcp(grant, server);
  }

  #accept(socket: TLSSocket): void {
    const reader = new FrameReader();
    let ticket: Ticket | null = null;
    let work = Promise.resolve();
    socket.on("error", () => this.#count("broken"));
    socket.setTimeout(firstFrameMs, () => {
      this.#count("too-slow");
      socket.destroy();
    });
    socket.on("data", (bytes: Buffer) => {
      try {
        for (const value of reader.push(bytes)) {
          const fields = new JsonFields(value, "transfer");
          if (ticket === null) {
            ticket = this.#redeem(socket, fields.text("ticket", 128));
            if (ticket === null) {
              socket.destroy();
              return;
            }
            socket.setTimeout(idleMsMax);
            continue;
          }
          const holder = ticket;
          work = work.then(() => this.#answer(socket, holder, fields));
          work.catch((error: unknown) => {
            this.#count("failed");
            socket.destroy(error instanceof Error ? error : new Error(String(error)));
          });
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

  /** Bound to the computer: a stolen ticket is worth nothing without its certificate. */
  #redeem(socket: TLSSocket, text: string): Ticket | null {
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
    return ticket;
  }

  async #answer(socket: TLSSocket, ticket: Ticket, fields: JsonFields): Promise<void> {
    const type = fields.choice("type", ["manifest", "chunks"]);
    if (type === "manifest") {
      await writeSized(socket, Buffer.from(ticket.manifestText));
      return;
    }
    for (const chunkHash of fields.texts("hashes", 1024, 64)) {
      const isCovered = ticket.chunkHashes.has(chunkHash);
      this.#count(isCovered ? "chunk" : "chunk-not-covered");
      await writeSized(
        socket,
        isCovered ? await this.#dependencies.chunks.readFrame(chunkHash) : Buffer.alloc(0),
      );
    }
  }
}

/** Size and content; waits while the other end reads slower than we send. */
async function writeSized(socket: TLSSocket, content: Uint8Array): Promise<void> {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(content.byteLength);
  socket.write(size);
  if (!socket.write(content)) {
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        socket.off("close", failed);
        resolve();
      };
      const failed = (): void => {
        socket.off("drain", done);
        reject(new Error("the connection ended"));
      };
      socket.once("drain", done);
      socket.once("close", failed);
    });
  }
}
