import type { Logger } from "pino";
import { allocatePair, type GroupPort } from "#engine/multicast/allocate-pair.ts";
import { MulticastTransfer, type MulticastOutput } from "#engine/tftp/multicast-transfer.ts";
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

/** Sends one file to all who ask for it with the `multicast` option. RFC 2090 */
export class TftpMulticast {
  readonly #flows: () => readonly Flow[];
  readonly #dependencies: TftpMulticastDependencies;
  /** Keyed by interface, file and block size. BOUNDED by the groups of the plan. */
  readonly #running = new Map<string, Promise<Running> | Running>();

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
    let running = await this.#running.get(key);
    if (running === undefined) {
      const pair = await this.#freePair();
      if (pair === null) {
        this.#dependencies.count("no-free-group");
        return false;
      }
      const opening = this.#open(key, file, { ...terms, ...pair, protocol: "rfc2090" }, pair, nic);
      this.#running.set(key, opening);
      running = await opening;
      this.#running.set(key, running);
    }
    // Windows are for unicast: a listener that is not the master could not ask for the rest of one.
    const granted = new Map([...terms.acknowledged].filter(([name]) => name !== "windowsize"));
    const nowMs = this.#dependencies.clock.monotonicMs();
    this.#apply(key, running, running.engine.join(clientKey(client), granted, nowMs));
    return true;
  }

  async stop(): Promise<void> {
    for (const [key, pending] of this.#running) {
      const running = await pending;
      running.cancelWake();
      this.#running.delete(key);
      await running.socket.close();
    }
  }

  async #freePair(): Promise<GroupPort | null> {
    const inUse = await Promise.all([...this.#running.values()]);
    return allocatePair(
      findFlow(this.#flows(), "boot.tftp-multicast").groups,
      [groupPort],
      inUse.map(({ pair }) => pair),
    );
  }

  async #open(
    key: string,
    file: Uint8Array,
    terms: ConstructorParameters<typeof MulticastTransfer>[1],
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
          this.#running.delete(key);
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
