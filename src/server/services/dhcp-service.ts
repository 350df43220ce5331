import type { Logger } from "pino";
import { BootAttempts } from "#engine/boot/boot-attempts.ts";
import { bootEvent, type BootEvent, type BootFailure } from "#engine/boot/boot-event.ts";
import { type BootProgram } from "#engine/boot/boot-program.ts";
import { decideBoot, type BootRequest, type BootSettings } from "#engine/boot/decide-boot.ts";
import type { ComputerMatch } from "#engine/boot/identify-computer.ts";
import { AnswerBudget, defaultAnswerRate, type AnswerRate } from "#engine/dhcp/answer-budget.ts";
import { buildProxyAnswer, type DhcpArrival } from "#engine/dhcp/proxy-responder.ts";
import { leaseAskedFor, readBootRequest, readRelayTrace } from "#engine/dhcp/read-boot-request.ts";
import { type MtftpPlace, mtftpPlaceOf } from "#engine/tftp/mtftp-place.ts";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { grantListeners, type SocketGrant } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import type { Datagram, Network, NetworkInterface, UdpSocket } from "#platform/network.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { decodeDhcpPacket, type DhcpPacket } from "#wire/dhcp4/packet.ts";
import { isProbeMac } from "#wire/probe/pxe-probe-packet.ts";
import type { ComputerDirectory } from "../computer-directory.ts";
import { answerProbe } from "../verify/answer-probe.ts";
import type { ProbeWatch } from "../verify/probe-watch.ts";
import { LatencyHistogram } from "./latency-histogram.ts";
import type { LeaseService } from "./lease-service.ts";
import { ListenerSet } from "./listener-set.ts";

export type DhcpServiceOptions = {
  readonly flows: () => readonly Flow[];
  /** The named interfaces; nothing is answered on any other. */
  readonly interfaces: readonly NetworkInterface[];
  /** Relay agents that are answered; empty: none. */
  readonly relays: readonly Ipv4Address[];
  readonly answerRate?: AnswerRate;
};

export type DhcpServiceDependencies = {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  readonly directory: ComputerDirectory;
  readonly attempts: BootAttempts;
  /** The settings as they are now, from memory. */
  readonly settings: () => BootSettings;
  /** Names of the boot files that are there now. */
  readonly bootFiles: () => ReadonlySet<string>;
  readonly recordEvent: (event: BootEvent) => void;
  /** Asked in the mode `dhcp` alone. */
  readonly leases: Pick<LeaseService, "answer">;
  readonly probes: ProbeWatch;
  /** Every message of a computer to port 67 that could be read, answered or not. */
  readonly observe: (message: ObservedDhcp) => void;
};

export type ObservedDhcp = {
  readonly packet: DhcpPacket;
  readonly sourceAddress: Ipv4Address;
  readonly networkInterface: NetworkInterface;
};

/** Why a datagram got no answer, for counters. `malformed` has no boot event: it has no computer. */
export type DhcpCounter = BootFailure | "malformed" | "socket-error" | "answered" | "probe" | "foreign-probe";

type Listener = {
  readonly socket: UdpSocket;
  readonly close: () => Promise<void>;
  readonly networkInterface: NetworkInterface;
  readonly port: 67 | 4011;
  readonly budget: AnswerBudget;
};

/** Why a computer that could boot here got no address, worth an event. */
const leaseFailures: ReadonlySet<BootFailure> = new Set<BootFailure>([
  "no-lease-range",
  "no-free-address",
  "lease-not-stored",
]);

/** These are other people's ordinary traffic: counted, and not worth an event each. */
const countedOnly: ReadonlySet<BootFailure> = new Set<BootFailure>(["not-pxe"]);

/**
 * Answers boot firmware beside the site's DHCP server: port 67 for offers, port 4011 for boot server requests, one
 * socket of each on every named interface. Leases nothing, but in the mode `dhcp`, where there is no other server.
 *
 * A boot answer is made from memory only: no file, no store, no name service stands between a request and its reply.
 */
export class DhcpService {
  readonly #options: DhcpServiceOptions;
  readonly #dependencies: DhcpServiceDependencies;
  readonly #listeners = new ListenerSet<Listener>();
  /** From a datagram's arrival to its answer being handed to the kernel. */
  readonly latency = new LatencyHistogram();
  /** Keyed by reason. BOUNDED by the unions `DhcpCounter` and `LeaseFailure`, and three kinds of lease answers. */
  readonly counters = new Map<string, number>();

  constructor(options: DhcpServiceOptions, dependencies: DhcpServiceDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /**
   * Listens as the plan says now; called again when it has changed.
   *
   * @throws NetworkError when a port cannot be had on a named interface; what was open stays open
   */
  async start(): Promise<void> {
    const { flows, interfaces } = this.#options;
    const grants = (["boot.dhcp", "boot.server"] as const).flatMap((id) =>
      grantListeners(findFlow(flows(), id), interfaces),
    );
    await this.#listeners.follow(grants, (grant) => this.#open(grant));
  }

  async stop(): Promise<void> {
    await this.#listeners.close();
  }

  async #open(grant: SocketGrant): Promise<Listener> {
    const { network, clock } = this.#dependencies;
    const port = grant.flowId === "boot.dhcp" ? 67 : 4011;
    const networkInterface = this.#options.interfaces.find(({ name }) => name === grant.interfaceName);
    if (networkInterface === undefined) {
      throw new Error(`interface ${grant.interfaceName} is not one of the named`);
    }
    const socket = await network.openUdp(grant, { broadcast: port === 67, receiveBufferBytes: 1 << 21 });
    const rate = this.#options.answerRate ?? defaultAnswerRate;
    const budget = new AnswerBudget(rate, clock.monotonicMs());
    const close = (): Promise<void> => socket.close();
    const listener: Listener = { socket, close, networkInterface, port, budget };
    socket.onDatagram((datagram) => this.#receive(listener, datagram));
    socket.onError((error) => {
      this.#count("socket-error");
      this.#dependencies.log.debug({ err: error, port, interface: networkInterface.name }, "dhcp socket");
    });
    return listener;
  }

  #receive(listener: Listener, datagram: Datagram): void {
    const arrivedAtMs = this.#dependencies.clock.monotonicMs();
    try {
      const arrival: DhcpArrival = {
        packet: decodeDhcpPacket(datagram.bytes),
        port: listener.port,
        sourceAddress: datagram.sourceAddress,
        sourcePort: datagram.sourcePort,
      };
      const { packet, sourceAddress } = arrival;
      this.#answer(listener, arrival, readBootRequest(packet, listener.port), arrivedAtMs);
      if (listener.port === 67) {
        // After the answer, which waits for nothing.
        const { networkInterface } = listener;
        this.#dependencies.observe({ packet, sourceAddress, networkInterface });
      }
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
      this.#count("malformed");
      this.#dependencies.log.debug({ facts: error.facts, port: listener.port }, "malformed DHCP datagram");
    }
  }

  #answer(listener: Listener, arrival: DhcpArrival, request: BootRequest, arrivedAtMs: number): void {
    const { directory, attempts, clock, settings, bootFiles } = this.#dependencies;
    const { identity } = request;
    if (identity !== null && isProbeMac(identity.mac)) {
      this.#answerProbe(listener, arrival, identity.mac);
      return;
    }
    const computer: ComputerMatch = identity === null ? { type: "unknown" } : directory.find(identity);
    const serverAddress = listener.networkInterface.address;
    this.#noteLease(request, arrival);
    const facts = {
      computer,
      settings: settings(),
      serverAddress,
      relays: this.#options.relays,
      bootFiles: bootFiles(),
      previousAttempt: identity === null ? null : attempts.find(identity.mac),
    };
    const seen: Seen = { listener, arrival, request, computer };
    const decision = decideBoot(request, facts, arrivedAtMs);
    // Segments behind a relay have the DHCP server that the relay was made for.
    if (facts.settings["boot.mode"] === "dhcp" && arrival.port === 67 && request.relayAddress === null) {
      if (decision.type === "ignore") {
        this.#stayedSilent(seen, decision.reason);
      }
      const program = decision.type === "offer" ? decision.program : null;
      this.#answerWithLease(seen, program, arrivedAtMs).catch((error: unknown) => {
        this.#dependencies.log.error({ err: error }, "a lease could not be answered");
      });
      return;
    }
    if (decision.type === "ignore") {
      this.#stayedSilent(seen, decision.reason);
      return;
    }
    if (!listener.budget.take(arrivedAtMs)) {
      this.#stayedSilent(seen, "rate-limited");
      return;
    }
    const { program } = decision;
    const answer = buildProxyAnswer(arrival, { program, serverAddress, mtftp: this.#mtftpPlace(program) });
    if (answer.type === "ignore") {
      this.#stayedSilent(seen, answer.reason);
      return;
    }
    listener.socket.send(answer.bytes, answer.to);
    const latencyMs = clock.monotonicMs() - arrivedAtMs;
    this.latency.add(latencyMs);
    this.#count("answered");
    this.#noteOffer(request, decision.program, arrivedAtMs);
    this.#dependencies.recordEvent({
      ...this.#eventOf(seen),
      stage: arrival.port === 67 ? "offer" : "boot-server",
      file: decision.program.type === "tftp-file" ? decision.program.fileName : decision.program.url,
      latencyMs,
    });
  }

  /** Without another DHCP server: address and boot program in one answer. */
  async #answerWithLease(seen: Seen, program: BootProgram | null, arrivedAtMs: number): Promise<void> {
    const { listener, arrival, request } = seen;
    const { leases, clock, attempts, recordEvent } = this.#dependencies;
    if (!listener.budget.take(arrivedAtMs)) {
      this.#stayedSilent(seen, "rate-limited");
      return;
    }
    const boot = program === null ? null : { program, mtftp: this.#mtftpPlace(program) };
    const answer = await leases.answer(listener.networkInterface, arrival, boot);
    if (answer.type === "ignore") {
      this.#countLease(answer.reason);
      if (request.identity !== null && leaseFailures.has(answer.reason as BootFailure)) {
        recordEvent({ ...this.#eventOf(seen), outcome: "failed", reason: answer.reason as BootFailure });
      }
      return;
    }
    listener.socket.send(answer.bytes, answer.to);
    this.latency.add(clock.monotonicMs() - arrivedAtMs);
    this.#countLease(`lease-${answer.message}`);
    if (request.identity !== null && answer.lease !== null) {
      attempts.noteLease(request.identity.mac, answer.lease.address);
    }
    if (program !== null && answer.message === "offer") {
      this.#noteOffer(request, program, arrivedAtMs);
      recordEvent({
        ...this.#eventOf(seen),
        stage: "offer",
        file: program.type === "tftp-file" ? program.fileName : program.url,
        latencyMs: clock.monotonicMs() - arrivedAtMs,
      });
    }
  }

  #countLease(reason: string): void {
    this.counters.set(reason, (this.counters.get(reason) ?? 0) + 1);
  }

  /** Only where the plan sends boot files by multicast. */
  #mtftpPlace(program: BootProgram): MtftpPlace | null {
    return program.type === "tftp-file" ? mtftpPlaceOf(program.fileName, this.#options.flows()) : null;
  }

  /** No computer: it takes no part in boot attempts and events. */
  #answerProbe(listener: Listener, arrival: DhcpArrival, mac: MacAddress): void {
    const answer = answerProbe(arrival, mac, {
      networkInterface: listener.networkInterface,
      relays: this.#options.relays,
      probes: this.#dependencies.probes,
    });
    this.#count(answer === null ? "foreign-probe" : "probe");
    if (answer?.type === "send") {
      listener.socket.send(answer.bytes, answer.to);
    }
  }

  /** The lease REQUEST we see but never answer tells which address the computer will read files from. */
  #noteLease(request: BootRequest, arrival: DhcpArrival): void {
    const address = request.message === "request" ? leaseAskedFor(arrival.packet) : null;
    if (address !== null && request.identity !== null) {
      this.#dependencies.attempts.noteLease(request.identity.mac, address);
    }
  }

  #noteOffer(request: BootRequest, program: BootProgram, nowMs: number): void {
    if (request.identity !== null) {
      const { port, transactionId, identity } = request;
      this.#dependencies.attempts.noteOffer({ port, transactionId, mac: identity.mac, program, nowMs });
    }
  }

  #stayedSilent(seen: Seen, reason: BootFailure): void {
    this.#count(reason);
    if (!countedOnly.has(reason)) {
      this.#dependencies.recordEvent({ ...this.#eventOf(seen), outcome: "ignored", reason });
    }
  }

  #eventOf({ listener, arrival, request, computer }: Seen): BootEvent {
    const isLease = arrival.port === 67 && request.message === "request";
    return bootEvent({
      atMs: this.#dependencies.clock.epochMs(),
      stage: arrival.port === 4011 ? "boot-server" : isLease ? "lease" : "discover",
      interfaceName: listener.networkInterface.name,
      serverAddress: listener.networkInterface.address,
      mac: request.identity?.mac ?? null,
      uuid: request.identity?.uuid ?? null,
      computerId: computer.type === "known" ? computer.computer.id : null,
      peerAddress: arrival.sourceAddress,
      relay: readRelayTrace(arrival.packet),
      secondsElapsed: arrival.packet.secondsElapsed,
      firmware: request.firmware.type,
      conflict:
        computer.type === "conflict"
          ? { conflict: computer.conflict, computerIds: computer.computers.map(({ id }) => id) }
          : null,
    });
  }

  #count(reason: DhcpCounter): void {
    this.counters.set(reason, (this.counters.get(reason) ?? 0) + 1);
  }
}

type Seen = {
  readonly listener: Listener;
  readonly arrival: DhcpArrival;
  readonly request: BootRequest;
  readonly computer: ComputerMatch;
};
