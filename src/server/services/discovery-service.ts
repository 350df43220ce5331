import type { Logger } from "pino";
import { AnswerBudget, type AnswerRate } from "#engine/dhcp/answer-budget.ts";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { grantListeners, type SocketGrant } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import type { Datagram, Network, NetworkInterface, UdpSocket } from "#platform/network.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import {
  decodeGetServerRequest,
  encodeGetServerAnswer,
  encodeGetServerFacts,
  type GetServerRequest,
} from "#wire/discovery/get-server.ts";
import type { SiteAuthority } from "../site-authority.ts";
import { ListenerSet } from "./listener-set.ts";

export type DiscoveryServiceOptions = {
  readonly flows: () => readonly Flow[];
  readonly interfaces: readonly NetworkInterface[];
  /** What answers name: where the control connection is taken now. */
  readonly controlPort: () => number;
  /** @param interfaceName that the question came in on */
  readonly controlAddress: (interfaceName: string) => Ipv4Address;
  readonly serverName: string;
  readonly rate?: AnswerRate;
};

export type DiscoveryServiceDependencies = {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  readonly authority: SiteAuthority;
  /** Whether one of these belongs to a computer that the site lets in. From memory: answers wait for nothing. */
  readonly isKnown: (macs: readonly MacAddress[]) => boolean;
  /** Every question that is answered, for whoever waits for one. */
  readonly onQuestion?: (question: { readonly nonce: Uint8Array; readonly datagram: Datagram }) => void;
};

/** A signature costs about 50 µs: this many a second take a tenth of a core at most, and a room restarts in one. */
const defaultRate: AnswerRate = { perSecond: 1000, burst: 2000 };
const nameSizeBytesMax = 63;

/** Tells agents which server serves their segment: one socket per named interface, each with its own address. */
export class DiscoveryService {
  readonly #options: DiscoveryServiceOptions;
  readonly #dependencies: DiscoveryServiceDependencies;
  readonly #serverName: string;
  readonly #siteKey: Uint8Array;
  readonly #sockets = new ListenerSet<UdpSocket>();
  /** Keyed by reason: `answered`, `malformed`, `too-many`, `no-return-address`, `socket-error`. BOUNDED by those. */
  readonly counters = new Map<string, number>();

  constructor(options: DiscoveryServiceOptions, dependencies: DiscoveryServiceDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#serverName = cutToBytes(options.serverName.replaceAll(/[\p{Cc}\p{Cf}]/gu, "-")) || "server";
    this.#siteKey = dependencies.authority.publicKeyDer();
  }

  /**
   * Listens as the plan says now; called again when it has changed.
   *
   * @throws NetworkError when the discovery port cannot be had on a named interface; what was open stays open
   */
  async start(): Promise<void> {
    const { flows, interfaces } = this.#options;
    const grants = grantListeners(findFlow(flows(), "agent.discovery"), interfaces);
    await this.#sockets.follow(grants, (grant) => this.#open(grant));
  }

  async stop(): Promise<void> {
    await this.#sockets.close();
  }

  async #open(grant: SocketGrant): Promise<UdpSocket> {
    const { network, clock } = this.#dependencies;
    const nic = this.#options.interfaces.find(({ name }) => name === grant.interfaceName);
    const socket = await network.openUdp(grant);
    const budget = new AnswerBudget(this.#options.rate ?? defaultRate, clock.monotonicMs());
    if (nic !== undefined) {
      socket.onDatagram((datagram) => this.#receive(socket, nic, budget, datagram));
    }
    socket.onError((error) => {
      this.#count("socket-error");
      this.#dependencies.log.debug({ err: error }, "discovery");
    });
    return socket;
  }

  #count(reason: string): void {
    this.counters.set(reason, (this.counters.get(reason) ?? 0) + 1);
  }

  #receive(socket: UdpSocket, nic: NetworkInterface, budget: AnswerBudget, datagram: Datagram): void {
    const request = this.#decode(datagram);
    if (request === null) {
      return;
    }
    const { sourceAddress, sourcePort } = datagram;
    if (sourcePort === 0 || sourceAddress === "0.0.0.0" || sourceAddress.startsWith("255.")) {
      this.#count("no-return-address");
      return;
    }
    const { clock, authority, isKnown } = this.#dependencies;
    if (!budget.take(clock.monotonicMs())) {
      // Silence: the agent asks again.
      this.#count("too-many");
      return;
    }
    this.#dependencies.onQuestion?.({ nonce: request.nonce, datagram });
    const signedBytes = encodeGetServerFacts({
      nonce: request.nonce,
      address: this.#options.controlAddress(nic.name),
      port: this.#options.controlPort(),
      isKnown: isKnown(request.macs),
      serverName: this.#serverName,
      siteKey: this.#siteKey,
    });
    const answer = encodeGetServerAnswer(signedBytes, authority.sign(signedBytes));
    socket.send(answer, { address: sourceAddress, port: sourcePort });
    this.#count("answered");
  }

  #decode(datagram: Datagram): GetServerRequest | null {
    try {
      return decodeGetServerRequest(datagram.bytes);
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
      this.#count("malformed");
      this.#dependencies.log.debug({ err: error, interfaceName: datagram.interfaceName }, "discovery");
      return null;
    }
  }
}

function cutToBytes(text: string): string {
  let cut = text.toWellFormed();
  while (Buffer.byteLength(cut) > nameSizeBytesMax) {
    cut = cut.slice(0, -1).toWellFormed();
  }
  return cut;
}
