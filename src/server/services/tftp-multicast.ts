import type { Logger } from "pino";
import { allocatePair, type GroupPort } from "#engine/multicast/allocate-pair.ts";
import {
  MulticastTransfer,
  type MulticastOutput,
  type MulticastTerms,
} from "#engine/tftp/multicast-transfer.ts";
import type { MtftpPlace } from "#engine/tftp/mtftp-place.ts";
import { negotiateOptions } from "#engine/tftp/negotiate-options.ts";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import type { Datagram, Network, NetworkInterface, UdpSocket } from "#platform/network.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { decodeTftpPacket, encodeTftpPacket, type TftpRequest } from "#wire/tftp/packet.ts";

/** Where clients listen: the port PXE's MTFTP uses, which the plan lists. */
const groupPort = 1758;

export type TftpClient = { readonly address: Ipv4Address; readonly port: number };

export type TftpMulticastDependencies = {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: (reason: string) => void;
};

type Running = {
  readonly engine: MulticastTransfer;
  readonly pair: GroupPort;
  readonly socket: UdpSocket;
  cancelWake: () => void;
};

/** What is being sent on one interface, or about to be. */
type Sent = {
  readonly interfaceName: string;
  readonly pair: GroupPort;
  readonly running: Promise<Running>;
};

/** MTFTP has no options: blocks of 512 bytes, one at a time. */
const mtftpTerms = {
  blockSizeBytes: 512,
  windowBlockCount: 1,
  retransmitMs: 1000,
  acknowledged: new Map<string, string>(),
  protocol: "mtftp",
} as const;

/** Sends one file to all who ask for it with the `multicast` option. RFC 2090 */
export class TftpMulticast {
  readonly #flows: () => readonly Flow[];
  readonly #dependencies: TftpMulticastDependencies;
  /** Keyed by interface, file and block size. BOUNDED by interfaces times groups of the plan. */
  readonly #sent = new Map<string, Sent>();

  constructor(flows: () => readonly Flow[], dependencies: TftpMulticastDependencies) {
    this.#flows = flows;
    this.#dependencies = dependencies;
  }

  /** False when no group is free: the client is then served by unicast, as if it had not asked. */
  async join(
    request: TftpRequest,
    file: Uint8Array,
    client: TftpClient,
    nic: NetworkInterface,
    payloadSizeBytesMax: number,
  ): Promise<boolean> {
    const terms = negotiateOptions(request, { fileSizeBytes: file.byteLength, payloadSizeBytesMax });
    const key = `${nic.name}/${request.fileName}/${terms.blockSizeBytes}`;
    // Windows are for unicast: a listener that is not the master could not ask for the rest of one.
    const granted = new Map([...terms.acknowledged].filter(([name]) => name !== "windowsize"));
    const { groups } = findFlow(this.#flows(), "boot.tftp-multicast");
    const known = this.#sent.get(key);
    const pair = known?.pair ?? allocatePair(groups, [groupPort], this.#pairsInUse(nic));
    if (pair === null) {
      this.#dependencies.count("no-free-group");
      return false;
    }
    await this.#join(key, { file, terms: { ...terms, ...pair, protocol: "rfc2090" }, nic }, client, granted);
    return true;
  }

  /** The same by MTFTP, whose clients know the place from the offer. False when another file is being sent there. */
  async joinAt(
    place: MtftpPlace,
    fileName: string,
    file: Uint8Array,
    client: TftpClient,
    nic: NetworkInterface,
  ): Promise<boolean> {
    const key = `${nic.name}/mtftp/${fileName}`;
    const pair = { group: place.group, port: place.clientPort };
    const isTaken = this.#pairsInUse(nic).some(
      ({ group, port }) => group === pair.group && port === pair.port,
    );
    if (isTaken && !this.#sent.has(key)) {
      return false;
    }
    await this.#join(key, { file, terms: { ...mtftpTerms, ...pair }, nic }, client, new Map());
    return true;
  }

  async stop(): Promise<void> {
    for (const [key, { running }] of this.#sent) {
      const { cancelWake, socket } = await running;
      cancelWake();
      this.#sent.delete(key);
      await socket.close();
    }
  }

  #pairsInUse(nic: NetworkInterface): GroupPort[] {
    return [...this.#sent.values()].filter((sent) => sent.interfaceName === nic.name).map(({ pair }) => pair);
  }

  /** The pair is taken before the first await, so that two requests at once share it. */
  async #join(
    key: string,
    given: {
      readonly file: Uint8Array;
      readonly terms: MulticastTerms;
      readonly nic: NetworkInterface;
    },
    client: TftpClient,
    granted: ReadonlyMap<string, string>,
  ): Promise<void> {
    const { file, terms, nic } = given;
    const pair = { group: terms.group, port: terms.port };
    const sent = this.#sent.get(key) ?? {
      interfaceName: nic.name,
      pair,
      running: this.#open(key, file, terms, pair, nic),
    };
    this.#sent.set(key, sent);
    try {
      const running = await sent.running;
      const nowMs = this.#dependencies.clock.monotonicMs();
      this.#apply(key, running, running.engine.join(clientKey(client), granted, nowMs));
    } catch (error) {
      this.#sent.delete(key);
      throw error;
    }
  }

  async #open(
    key: string,
    file: Uint8Array,
    terms: MulticastTerms,
    pair: GroupPort,
    nic: NetworkInterface,
  ): Promise<Running> {
    const grant = grantSocket(findFlow(this.#flows(), "boot.tftp-multicast"), {
      role: "server",
      side: "connect",
      interfaceName: nic.name,
      localAddress: nic.address,
      groups: [pair.group],
    });
    const socket = await this.#dependencies.network.openUdp(grant, { sendBufferBytes: 1 << 20 });
    const running: Running = {
      engine: new MulticastTransfer(file, terms),
      pair,
      socket,
      cancelWake: () => undefined,
    };
    socket.onDatagram((datagram) => this.#receive(key, running, datagram));
    socket.onError(() => this.#dependencies.count("socket-error"));
    return running;
  }

  #receive(key: string, running: Running, datagram: Datagram): void {
    try {
      const packet = decodeTftpPacket(datagram.bytes);
      const from = clientKey({ address: datagram.sourceAddress, port: datagram.sourcePort });
      this.#apply(key, running, running.engine.receive(from, packet, this.#dependencies.clock.monotonicMs()));
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
      this.#dependencies.count("malformed");
    }
  }

  #apply(key: string, running: Running, outputs: readonly MulticastOutput[]): void {
    const { clock, count, log } = this.#dependencies;
    for (const output of outputs) {
      switch (output.type) {
        case "send-to-client":
          running.socket.send(encodeTftpPacket(output.packet), parseClientKey(output.clientKey));
          break;
        case "send-to-group":
          running.socket.send(encodeTftpPacket(output.packet), {
            address: running.pair.group,
            port: running.pair.port,
          });
          break;
        case "wake":
          running.cancelWake();
          running.cancelWake = clock.after(Math.max(0, output.atMs - clock.monotonicMs()), () =>
            this.#apply(key, running, running.engine.wake(Math.max(output.atMs, clock.monotonicMs()))),
          );
          break;
        case "client-ended":
          count(`multicast-${output.outcome}`);
          break;
        case "finish":
          running.cancelWake();
          this.#sent.delete(key);
          log.debug({ key, sentBlockCount: output.sentBlockCount }, "multicast TFTP ended");
          running.socket.close().catch(() => count("socket-error"));
          break;
      }
    }
  }
}

function clientKey(client: TftpClient): string {
  return `${client.address}:${client.port}`;
}

function parseClientKey(key: string): TftpClient {
  const colon = key.lastIndexOf(":");
  return { address: key.slice(0, colon) as Ipv4Address, port: Number(key.slice(colon + 1)) };
}
