import type { Logger } from "pino";
import { negotiateOptions } from "#engine/tftp/negotiate-options.ts";
import { ReadTransfer, type TransferOutcome, type TransferOutput } from "#engine/tftp/read-transfer.ts";
import { type Flow, type FlowId } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { grantListeners, grantSocket, type SocketGrant } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import type { Datagram, Network, NetworkInterface, UdpSocket } from "#platform/network.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import {
  decodeTftpPacket,
  encodeTftpPacket,
  TftpErrorCode,
  type TftpPacket,
  type TftpRequest,
} from "#wire/tftp/packet.ts";
import { ListenerSet } from "./listener-set.ts";
import { MtftpService } from "./mtftp-service.ts";
import { TftpMulticast } from "./tftp-multicast.ts";
import { WindowSender } from "./window-sender.ts";

/** Ethernet, IP and UDP headers and the four bytes of DATA: what a block leaves of the link's MTU. */
const headersSizeBytes = 20 + 8 + 4;
/** Enough for a room that starts at once; beyond it a request is not answered and the ROM asks again. */
const transferCountMax = 1024;

export type TftpServiceOptions = {
  readonly flows: () => readonly Flow[];
  readonly interfaces: readonly NetworkInterface[];
};

export type TftpTransferReport = {
  readonly fileName: string;
  readonly clientAddress: Ipv4Address;
  readonly interfaceName: string;
  readonly serverAddress: Ipv4Address;
  readonly outcome: TransferOutcome | { readonly type: "refused"; readonly reason: string };
};

export type TftpServiceDependencies = {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * The bytes of a name, looked up in a table of names. Never a path: what is not in the table does not exist.
   */
  readonly findFile: (
    fileName: string,
    asker: { readonly networkInterface: NetworkInterface; readonly address: Ipv4Address },
  ) => Uint8Array | null;
  readonly onTransfer: (report: TftpTransferReport) => void;
};

type Transfer = {
  readonly key: string;
  readonly request: TftpRequest;
  readonly networkInterface: NetworkInterface;
  readonly client: { readonly address: Ipv4Address; readonly port: number };
  readonly engine: ReadTransfer;
  readonly socket: UdpSocket;
  /** When the engine wants to be woken; the timer may be set for earlier. */
  wakeAtMs: number;
  isTimerSet: boolean;
  cancelWake: () => void;
};

/**
 * Serves reads on port 69 of every named interface. With `tftp.singlePort` the data leaves from port 69 as well,
 * otherwise each transfer has its own socket (RFC 1350 §4).
 */
export class TftpService {
  readonly #options: TftpServiceOptions;
  readonly #dependencies: TftpServiceDependencies;
  readonly #listeners = new ListenerSet<UdpSocket>();
  /** Keyed by interface, client address and port. BOUNDED by `transferCountMax`; each entry ends by its timer. */
  readonly #transfers = new Map<string, Transfer>();
  /** Keyed by reason. BOUNDED by the reasons below. */
  readonly counters = new Map<string, number>();

  readonly #blocks = new WindowSender();
  readonly #multicast: TftpMulticast;
  readonly #mtftp: MtftpService;

  constructor(options: TftpServiceOptions, dependencies: TftpServiceDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    const { network, clock, log, findFile } = dependencies;
    const { flows, interfaces } = options;
    const count = (reason: string): void => this.#count(reason);
    this.#multicast = new TftpMulticast(flows, { network, clock, log, count });
    this.#mtftp = new MtftpService(flows, interfaces, {
      ...{ network, findFile, count },
      multicast: this.#multicast,
    });
  }

  /**
   * Listens as the plan says now; called again when it has changed. Transfers that run go on as they began.
   *
   * @throws NetworkError when a port cannot be had on a named interface; what was open stays open
   */
  async start(): Promise<void> {
    const grants = grantListeners(this.#flow("boot.tftp"), this.#options.interfaces);
    if (grants.length === 0) {
      await this.stop();
      return;
    }
    await this.#listeners.follow(grants, (grant) => this.#open(grant));
    await this.#mtftp.start();
  }

  async stop(): Promise<void> {
    await this.#mtftp.stop();
    await this.#multicast.stop();
    for (const transfer of this.#transfers.values()) {
      transfer.cancelWake();
      if (!this.#isListener(transfer.socket)) {
        await transfer.socket.close();
      }
    }
    this.#transfers.clear();
    await this.#listeners.close();
  }

  async #open(grant: SocketGrant): Promise<UdpSocket> {
    const nic = this.#options.interfaces.find(({ name }) => name === grant.interfaceName);
    const socket = await this.#dependencies.network.openUdp(grant, {
      receiveBufferBytes: 1 << 20,
      conversational: true,
    });
    socket.onDatagram((datagram) => {
      if (nic !== undefined) {
        this.#receive(socket, nic, datagram);
      }
    });
    socket.onError((error) => this.#count("socket-error", error));
    return socket;
  }

  #isListener(socket: UdpSocket): boolean {
    return this.#listeners.list().includes(socket);
  }

  /** The data leaves from port 69 itself, so the plan has no range for it. */
  get #isSinglePort(): boolean {
    return !this.#flow("boot.tftp-data").dynamic;
  }

  #flow(id: FlowId): Flow {
    return findFlow(this.#options.flows(), id);
  }

  #count(reason: string, error?: Error): void {
    this.counters.set(reason, (this.counters.get(reason) ?? 0) + 1);
    if (error !== undefined) {
      this.#dependencies.log.debug({ reason, err: error }, "tftp");
    }
  }

  #receive(listener: UdpSocket, networkInterface: NetworkInterface, datagram: Datagram): void {
    const packet = this.#decode(datagram);
    if (packet === null) {
      return;
    }
    const key = `${networkInterface.name}/${datagram.sourceAddress}/${datagram.sourcePort}`;
    const running = this.#transfers.get(key);
    if (running !== undefined) {
      this.#apply(running, running.engine.receive(packet, this.#dependencies.clock.monotonicMs()));
      return;
    }
    const client = { address: datagram.sourceAddress, port: datagram.sourcePort };
    if (packet.type === "write-request") {
      this.#count("write-refused");
      this.#sendError(listener, client, TftpErrorCode.accessViolation, "this server is read-only");
    } else if (packet.type === "read-request") {
      this.#begin(key, listener, networkInterface, packet, client).catch((error: unknown) => {
        this.#transfers.delete(key);
        this.#count("socket-error", error instanceof Error ? error : new Error(String(error)));
      });
    } else {
      this.#count("no-such-transfer");
    }
  }

  #decode(datagram: Datagram): TftpPacket | null {
    try {
      return decodeTftpPacket(datagram.bytes);
    } catch (error) {
      if (error instanceof WireError) {
        this.#count("malformed", error);
        return null;
      }
      throw error;
    }
  }

  async #begin(
    key: string,
    listener: UdpSocket,
    networkInterface: NetworkInterface,
    request: TftpRequest,
    client: Transfer["client"],
  ): Promise<void> {
    const refuse = (code: number, reason: string, message: string): void => {
      this.#count(reason);
      this.#sendError(listener, client, code, message);
      this.#report(request, networkInterface, client.address, { type: "refused", reason });
    };
    if (request.mode !== "octet") {
      refuse(TftpErrorCode.illegalOperation, "mode-not-octet", "only octet mode is served");
      return;
    }
    if (this.#transfers.size >= transferCountMax) {
      // Silence, not an error: the ROM repeats its request and is served when others have ended.
      this.#count("too-many-transfers");
      return;
    }
    const file = this.#dependencies.findFile(request.fileName, { networkInterface, address: client.address });
    if (file === null) {
      refuse(TftpErrorCode.fileNotFound, "file-not-found", "no such file");
      return;
    }
    const payloadSizeBytesMax = networkInterface.mtuBytes - headersSizeBytes;
    if (this.#flow("boot.tftp-multicast").state === "on" && request.options.has("multicast")) {
      if (await this.#multicast.join(request, file, client, networkInterface, payloadSizeBytesMax)) {
        return;
      }
    }
    const terms = negotiateOptions(request, { fileSizeBytes: file.byteLength, payloadSizeBytesMax });
    const engine = new ReadTransfer(file, terms);
    const transfer: Transfer = {
      key,
      request,
      networkInterface,
      client,
      engine,
      socket: this.#isSinglePort ? listener : await this.#openTransferSocket(networkInterface),
      wakeAtMs: 0,
      isTimerSet: false,
      cancelWake: () => undefined,
    };
    if (this.#transfers.has(key)) {
      // The request was repeated while the socket was being opened; the first one goes on.
      if (transfer.socket !== listener) {
        await transfer.socket.close();
      }
      return;
    }
    this.#transfers.set(key, transfer);
    if (transfer.socket !== listener) {
      transfer.socket.onDatagram((datagram) => this.#receiveOnTransfer(transfer, datagram));
      transfer.socket.onError((error) => this.#count("socket-error", error));
    }
    this.#apply(transfer, engine.start(this.#dependencies.clock.monotonicMs()));
  }

  #openTransferSocket(networkInterface: NetworkInterface): Promise<UdpSocket> {
    const grant = grantSocket(this.#flow("boot.tftp-data"), {
      role: "server",
      side: "listen",
      interfaceName: networkInterface.name,
      localAddress: networkInterface.address,
    });
    return this.#dependencies.network.openUdp(grant, { sendBufferBytes: 1 << 20, conversational: true });
  }

  #receiveOnTransfer(transfer: Transfer, datagram: Datagram): void {
    const { client, socket } = transfer;
    if (datagram.sourceAddress !== client.address || datagram.sourcePort !== client.port) {
      // RFC 1350 §4: a stranger is told off and the transfer is not disturbed.
      this.#count("unknown-transfer-id");
      const stranger = { address: datagram.sourceAddress, port: datagram.sourcePort };
      this.#sendError(socket, stranger, TftpErrorCode.unknownTransferId, "unknown transfer id");
      return;
    }
    const packet = this.#decode(datagram);
    if (packet !== null) {
      this.#apply(transfer, transfer.engine.receive(packet, this.#dependencies.clock.monotonicMs()));
    }
  }

  #apply(transfer: Transfer, outputs: readonly TransferOutput[]): void {
    this.#blocks.send(transfer, outputs);
    for (const output of outputs) {
      switch (output.type) {
        case "send":
          break;
        case "wake":
          transfer.wakeAtMs = output.atMs;
          if (!transfer.isTimerSet) {
            this.#setTimer(transfer);
          }
          break;
        case "finish":
          this.#finish(transfer, output.outcome);
          break;
      }
    }
  }

  /** One timer goes on while blocks are acknowledged; setting one anew for each block costs more than the block. */
  #setTimer(transfer: Transfer): void {
    const { clock } = this.#dependencies;
    transfer.isTimerSet = true;
    transfer.cancelWake = clock.after(Math.max(0, transfer.wakeAtMs - clock.monotonicMs()), () => {
      transfer.isTimerSet = false;
      const nowMs = clock.monotonicMs();
      // A millisecond less than asked for is the timer's rounding.
      if (nowMs + 1 < transfer.wakeAtMs) {
        this.#setTimer(transfer);
      } else {
        this.#apply(transfer, transfer.engine.wake(Math.max(transfer.wakeAtMs, nowMs)));
      }
    });
  }

  #finish(transfer: Transfer, outcome: TransferOutcome): void {
    transfer.cancelWake();
    this.#transfers.delete(transfer.key);
    this.#count(outcome.type);
    this.#report(transfer.request, transfer.networkInterface, transfer.client.address, outcome);
    if (!this.#isListener(transfer.socket)) {
      transfer.socket.close().catch((error: unknown) => {
        this.#count("socket-error", error instanceof Error ? error : new Error(String(error)));
      });
    }
  }

  #sendError(socket: UdpSocket, to: Transfer["client"], code: number, message: string): void {
    socket.send(encodeTftpPacket({ type: "error", code, message }), to);
  }

  #report(
    request: TftpRequest,
    networkInterface: NetworkInterface,
    clientAddress: Ipv4Address,
    outcome: TftpTransferReport["outcome"],
  ): void {
    // A file name is hostile text of up to two kilobytes; reports keep its beginning.
    const fileName = request.fileName.slice(0, 128);
    this.#dependencies.onTransfer({
      fileName,
      clientAddress,
      interfaceName: networkInterface.name,
      serverAddress: networkInterface.address,
      outcome,
    });
  }
}
