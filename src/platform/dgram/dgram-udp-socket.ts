import type { Socket } from "node:dgram";
import type { SocketGrant } from "#plan/socket-grant.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { arrivalInterface } from "../arrival-interface.ts";
import { NetworkError } from "../network-error.ts";
import type { Datagram, NetworkInterface, UdpSocket } from "../network.ts";

/** What may wait in Node's send queue. */
const waitingBytesMax = 8 * 1024 * 1024;
/** What of batches may: less, so that single datagrams find room beside them. */
const batchWaitingBytesMax = 1024 * 1024;

export class DgramUdpSocket implements UdpSocket {
  readonly grant: SocketGrant;
  readonly localAddress: Ipv4Address;
  readonly localPort: number;
  readonly #nic: NetworkInterface | null;
  readonly #socket: Socket;
  readonly #listInterfaces: () => readonly NetworkInterface[];
  #isClosed = false;
  #errorHandler: (error: Error) => void = () => undefined;

  constructor(
    grant: SocketGrant,
    nic: NetworkInterface | null,
    socket: Socket,
    listInterfaces: () => readonly NetworkInterface[],
  ) {
    this.grant = grant;
    this.#nic = nic;
    this.#socket = socket;
    this.#listInterfaces = listInterfaces;
    const bound = socket.address();
    this.localAddress = Ipv4Address.parse(bound.address);
    this.localPort = bound.port;
    socket.on("error", (error) => this.#errorHandler(error));
  }

  onDatagram(handler: (datagram: Datagram) => void): void {
    let lastSource = "";
    let interfaceName = "";
    this.#socket.removeAllListeners("message");
    this.#socket.on("message", (bytes, source) => {
      const sourceAddress = source.address as Ipv4Address;
      if (sourceAddress !== lastSource) {
        lastSource = sourceAddress;
        interfaceName = arrivalInterface(sourceAddress, this.#listInterfaces());
      }
      handler({ bytes, sourceAddress, sourcePort: source.port, interfaceName });
    });
  }

  send(bytes: Uint8Array, to: { readonly address: Ipv4Address; readonly port: number }): void {
    if (this.#isClosed) {
      return;
    }
    if (Ipv4Address.isMulticast(to.address) && !this.grant.groups.includes(to.address)) {
      this.#errorHandler(
        new NetworkError("not-granted", `${this.grant.flowId} may not send to group ${to.address}`),
      );
      return;
    }
    if (this.#socket.getSendQueueSize() + bytes.byteLength > waitingBytesMax) {
      this.#errorHandler(
        new NetworkError("send-queue-full", `${this.grant.flowId}: ${waitingBytesMax} bytes wait already`),
      );
      return;
    }
    const isLimited = to.address === Ipv4Address.broadcast && this.#nic !== null;
    const address = isLimited ? this.#nic?.broadcastAddress : to.address;
    this.#socket.send(Uint8Array.from(bytes), to.port, address, (error) => {
      if (error !== null) {
        this.#errorHandler(error);
      }
    });
  }

  /** One call for each datagram, as many as may wait. */
  sendBatch(
    bytes: Uint8Array,
    datagramSizeBytes: number,
    to: { readonly address: Ipv4Address; readonly port: number },
  ): number {
    let takenBytes = 0;
    while (
      takenBytes < bytes.byteLength &&
      this.#socket.getSendQueueSize() + datagramSizeBytes <= batchWaitingBytesMax
    ) {
      this.send(bytes.subarray(takenBytes, takenBytes + datagramSizeBytes), to);
      takenBytes = Math.min(takenBytes + datagramSizeBytes, bytes.byteLength);
    }
    return takenBytes;
  }

  sendToHardware(): void {
    this.#errorHandler(
      new NetworkError("not-supported", "without native calls there is no answer to a hardware address"),
    );
  }

  onError(handler: (error: Error) => void): void {
    this.#errorHandler = handler;
  }

  async close(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    await new Promise<void>((resolve) => {
      this.#socket.close(() => resolve());
    });
  }
}
