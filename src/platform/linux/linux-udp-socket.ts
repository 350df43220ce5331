import { createSocket, type Socket } from "node:dgram";
import type { SocketGrant } from "#plan/socket-grant.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { encodeUdpFrame } from "#wire/ethernet/udp-frame.ts";
import { arrivalInterface } from "../arrival-interface.ts";
import { NetworkError } from "../network-error.ts";
import type { Datagram, NetworkInterface, UdpOptions, UdpSocket } from "../network.ts";
import { BatchReceiver, type ReceiveHandler } from "./native/batch-receiver.ts";
import { BatchSender } from "./native/batch-sender.ts";
import { ReadySockets } from "./native/ready-sockets.ts";
import {
  closeSocket,
  openSocket,
  sendToSocket,
  setIntegerOption,
  socketConstants as k,
  SystemCallError,
  systemErrors,
} from "./native/socket-calls.ts";
import { allowsReuse, openUdpDescriptor, socketAddress } from "./open-udp-descriptor.ts";

/** What may wait for room in the kernel's send buffer; beyond it datagrams are refused, as a full link would. */
const waitingBytesMax = 8 * 1024 * 1024;

type Destination = { readonly address: Ipv4Address; readonly port: number };

/** Targets are addresses already; the resolver is never asked. */
function keepAddress(
  address: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, address, 4);
}

/** Lends a descriptor to `node:dgram`, which has the event loop. It closes with the dgram socket. */
async function attachToEventLoop(fd: number): Promise<Socket> {
  const socket = createSocket({ type: "udp4", lookup: keepAddress });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      // `exclusive`: never ask a cluster's primary process for the descriptor.
      socket.bind({ fd, exclusive: true }, () => {
        socket.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
  return socket;
}

/**
 * Opens a device-bound UDP socket.
 *
 * @throws SystemCallError
 */
export async function openLinuxUdpSocket(
  grant: SocketGrant,
  nic: NetworkInterface | null,
  options: UdpOptions,
  listInterfaces: () => readonly NetworkInterface[],
): Promise<UdpSocket> {
  const fd = openUdpDescriptor(grant, nic, options);
  const socket = await attachToEventLoop(fd);
  if (!allowsReuse(grant, options)) {
    // libuv sets it on every descriptor it is given; left on, any other program could share our port.
    setIntegerOption(fd, k.SOL_SOCKET, k.SO_REUSEADDR, 0, "SO_REUSEADDR");
  }
  const batchReceiver = options.joined === true ? new BatchReceiver() : null;
  const together = options.conversational === true ? (conversations ??= new ReadySockets()) : null;
  return new LinuxUdpSocket({ grant, nic, socket, fd, batchReceiver, together, listInterfaces });
}

/** All such sockets of the process; made with the first one. */
let conversations: ReadySockets | null = null;

type Parts = {
  readonly grant: SocketGrant;
  readonly nic: NetworkInterface | null;
  readonly socket: Socket;
  readonly fd: number;
  /** For sockets that take streams of datagrams. */
  readonly batchReceiver: BatchReceiver | null;
  /** For sockets whose datagrams are answered at once. */
  readonly together: ReadySockets | null;
  readonly listInterfaces: () => readonly NetworkInterface[];
};

class LinuxUdpSocket implements UdpSocket {
  readonly grant: SocketGrant;
  readonly localAddress: Ipv4Address;
  readonly localPort: number;
  readonly #parts: Parts;
  #batchSender: BatchSender | null = null;
  #isClosed = false;
  #errorHandler: (error: Error) => void = () => undefined;
  /** The last destination and its kernel form: a sender of many datagrams has one. */
  #lastTo: Destination = { address: Ipv4Address.any, port: 0 };
  #lastAddress = socketAddress(Ipv4Address.any, 0);

  constructor(parts: Parts) {
    this.grant = parts.grant;
    this.#parts = parts;
    const bound = parts.socket.address();
    this.localAddress = Ipv4Address.parse(bound.address);
    this.localPort = bound.port;
    parts.socket.on("error", (error) => this.#errorHandler(error));
  }

  onDatagram(handler: (datagram: Datagram) => void): void {
    const { nic, socket, fd, together, listInterfaces } = this.#parts;
    let lastSource = "";
    let interfaceName = nic?.name ?? "";
    const handOver = (bytes: Uint8Array, sourceAddress: Ipv4Address, sourcePort: number): void => {
      if (nic === null && sourceAddress !== lastSource) {
        lastSource = sourceAddress;
        interfaceName = arrivalInterface(sourceAddress, listInterfaces());
      }
      handler({ bytes, sourceAddress, sourcePort, interfaceName });
    };
    together?.watch(fd, handOver);
    socket.removeAllListeners("message");
    socket.on("message", (bytes, source) => {
      handOver(bytes, source.address as Ipv4Address, source.port);
      this.#receiveMore(handOver);
    });
  }

  send(bytes: Uint8Array, to: Destination): void {
    if (this.#isClosed || this.#isRefused(to)) {
      return;
    }
    try {
      // Whoever waits keeps its turn.
      if (this.#parts.socket.getSendQueueCount() > 0) {
        this.#sendWhenWritable(bytes, to);
      } else {
        sendToSocket(this.#parts.fd, bytes, this.#kernelAddress(to));
      }
    } catch (error) {
      if (error instanceof SystemCallError && error.errno === systemErrors.EAGAIN) {
        this.#sendWhenWritable(bytes, to);
      } else {
        this.#fail(error);
      }
    }
  }

  sendBatch(bytes: Uint8Array, datagramSizeBytes: number, to: Destination): number {
    if (this.#isClosed || this.#isRefused(to)) {
      return bytes.byteLength;
    }
    // Whoever waits keeps its turn.
    if (this.#parts.socket.getSendQueueCount() > 0) {
      return 0;
    }
    this.#batchSender ??= new BatchSender(this.#parts.fd);
    try {
      return this.#batchSender.send(bytes, datagramSizeBytes, this.#kernelAddress(to));
    } catch (error) {
      this.#fail(error);
      return bytes.byteLength;
    }
  }

  sendToHardware(bytes: Uint8Array, to: Destination & { readonly mac: MacAddress }): void {
    const { nic } = this.#parts;
    if (this.#isClosed) {
      return;
    }
    if (nic === null) {
      this.#fail(new NetworkError("not-supported", "a reply to a hardware address needs an interface"));
      return;
    }
    try {
      const frame = encodeUdpFrame({
        sourceMac: nic.mac,
        destinationMac: to.mac,
        source: this.localAddress === Ipv4Address.any ? nic.address : this.localAddress,
        destination: to.address,
        sourcePort: this.localPort,
        destinationPort: to.port,
        payload: bytes,
      });
      sendFrame(nic.index, frame);
    } catch (error) {
      this.#fail(error);
    }
  }

  onError(handler: (error: Error) => void): void {
    this.#errorHandler = handler;
  }

  async close(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    // From here on the descriptor's number may belong to another file.
    this.#isClosed = true;
    this.#parts.together?.forget(this.#parts.fd);
    await new Promise<void>((resolve) => {
      this.#parts.socket.close(() => resolve());
    });
  }

  /** More has come meanwhile, and the event loop would bring each datagram with a call of its own. */
  #receiveMore(handOver: ReceiveHandler): void {
    const { fd, batchReceiver, together } = this.#parts;
    try {
      together?.receive();
      if (!this.#isClosed) {
        batchReceiver?.receive(fd, handOver);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Groups only those of the grant. */
  #isRefused(to: Destination): boolean {
    const isRefused = Ipv4Address.isMulticast(to.address) && !this.grant.groups.includes(to.address);
    if (isRefused) {
      this.#fail(new NetworkError("not-granted", `${this.grant.flowId} may not send to group ${to.address}`));
    }
    return isRefused;
  }

  #sendWhenWritable(bytes: Uint8Array, to: Destination): void {
    const { socket } = this.#parts;
    if (socket.getSendQueueSize() + bytes.byteLength > waitingBytesMax) {
      this.#fail(
        new NetworkError(
          "send-queue-full",
          `${this.grant.flowId}: ${waitingBytesMax} bytes wait for the link already; a datagram to ${to.address} is dropped`,
        ),
      );
      return;
    }
    // A copy, because the caller may use its buffer again once `send` has returned.
    socket.send(Uint8Array.from(bytes), to.port, to.address, (error) => {
      if (error !== null) {
        this.#fail(error);
      }
    });
  }

  #kernelAddress(to: Destination): Buffer {
    if (this.#lastTo.address !== to.address || this.#lastTo.port !== to.port) {
      this.#lastTo = { address: to.address, port: to.port };
      this.#lastAddress = socketAddress(to.address, to.port);
    }
    return this.#lastAddress;
  }

  #fail(error: unknown): void {
    if (!(error instanceof Error)) {
      throw error;
    }
    const isKnown =
      error instanceof SystemCallError || error instanceof NetworkError || error instanceof WireError;
    if (!isKnown && !("code" in error)) {
      throw error;
    }
    this.#errorHandler(error);
  }
}

/** One Ethernet frame out of an interface, past the ARP table. struct sockaddr_ll: packet(7). */
function sendFrame(interfaceIndex: number, frame: Uint8Array): void {
  const fd = openFrameSocket();
  try {
    const address = Buffer.alloc(20);
    address.writeUInt16LE(k.AF_PACKET, 0);
    address.writeUInt16BE(0x0800, 2);
    address.writeInt32LE(interfaceIndex, 4);
    address.writeUInt8(6, 11);
    address.set(frame.subarray(0, 6), 12);
    sendToSocket(fd, frame, address);
  } finally {
    closeSocket(fd);
  }
}

function openFrameSocket(): number {
  try {
    // Protocol 0: it sends and never receives.
    return openSocket(k.AF_PACKET, k.SOCK_RAW | k.SOCK_CLOEXEC, 0);
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === systemErrors.EPERM) {
      throw new NetworkError(
        "no-privilege",
        "an answer to a computer without an address needs CAP_NET_RAW; run as root, or give the program that capability",
        { cause: error },
      );
    }
    throw error;
  }
}
