import { createSocket, type Socket } from "node:dgram";
import type { SocketGrant } from "#plan/socket-grant.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { encodeUdpFrame } from "#wire/ethernet/udp-frame.ts";
import { NetworkError } from "../network-error.ts";
import type { Datagram, NetworkInterface, UdpOptions, UdpSocket } from "../network.ts";
import {
  bindSocket,
  closeSocket,
  openSocket,
  sendToSocket,
  setIntegerOption,
  setSocketOption,
  socketConstants as k,
  SystemCallError,
} from "./native/socket-calls.ts";

function socketAddress(address: Ipv4Address, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(k.AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(Ipv4Address.toBytes(address), 4);
  return bytes;
}

/** struct ip_mreqn: group, local address, interface index. */
function membership(group: Ipv4Address, interfaceIndex: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.set(Ipv4Address.toBytes(group), 0);
  bytes.writeInt32LE(interfaceIndex, 8);
  return bytes;
}

/** Root may go past `rmem_max`; others get what the system allows. */
function setBufferSize(fd: number, force: number, plain: number, sizeBytes: number, name: string): void {
  try {
    setIntegerOption(fd, k.SOL_SOCKET, force, sizeBytes, name);
  } catch (error) {
    if (!(error instanceof SystemCallError)) {
      throw error;
    }
    setIntegerOption(fd, k.SOL_SOCKET, plain, sizeBytes, name);
  }
}

function applyOptions(
  fd: number,
  grant: SocketGrant,
  nic: NetworkInterface | null,
  options: UdpOptions,
): void {
  if (options.reuseAddress ?? grant.groups.length > 0) {
    setIntegerOption(fd, k.SOL_SOCKET, k.SO_REUSEADDR, 1, "SO_REUSEADDR");
  }
  if (nic !== null) {
    setSocketOption(fd, k.SOL_SOCKET, k.SO_BINDTODEVICE, Buffer.from(`${nic.name}\0`), "SO_BINDTODEVICE");
    setSocketOption(
      fd,
      k.IPPROTO_IP,
      k.IP_MULTICAST_IF,
      membership(Ipv4Address.any, nic.index),
      "IP_MULTICAST_IF",
    );
  }
  if (options.broadcast === true) {
    setIntegerOption(fd, k.SOL_SOCKET, k.SO_BROADCAST, 1, "SO_BROADCAST");
  }
  if (grant.ttl !== null) {
    setIntegerOption(fd, k.IPPROTO_IP, k.IP_MULTICAST_TTL, grant.ttl, "IP_MULTICAST_TTL");
  }
  if (options.receiveBufferBytes !== undefined) {
    setBufferSize(fd, k.SO_RCVBUFFORCE, k.SO_RCVBUF, options.receiveBufferBytes, "SO_RCVBUF");
  }
  if (options.sendBufferBytes !== undefined) {
    setBufferSize(fd, k.SO_SNDBUFFORCE, k.SO_SNDBUF, options.sendBufferBytes, "SO_SNDBUF");
  }
  // Only groups that this socket has joined, not those that others on the machine have.
  setIntegerOption(fd, k.IPPROTO_IP, k.IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL");
}

/** The bound descriptor of a grant. @throws SystemCallError */
function openBound(
  grant: SocketGrant,
  nic: NetworkInterface | null,
  port: number,
  options: UdpOptions,
): number {
  const fd = openSocket(k.AF_INET, k.SOCK_DGRAM | k.SOCK_NONBLOCK | k.SOCK_CLOEXEC, 0);
  try {
    applyOptions(fd, grant, nic, options);
    bindSocket(fd, socketAddress(grant.localAddress, port));
    if (grant.side === "listen") {
      for (const group of grant.groups) {
        setSocketOption(
          fd,
          k.IPPROTO_IP,
          k.IP_ADD_MEMBERSHIP,
          membership(group, nic?.index ?? 0),
          "IP_ADD_MEMBERSHIP",
        );
      }
    }
    return fd;
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

/** Ports to try: the one of the grant, or some of its range in a random order given by `random`. */
function candidatePorts(grant: SocketGrant, random: () => number): number[] {
  const range = grant.localPortRange;
  if (grant.localPort !== 0 || range === null || (range.from <= 1025 && range.to === 65535)) {
    return [grant.localPort];
  }
  const count = range.to - range.from + 1;
  const start = Math.floor(random() * count);
  return Array.from({ length: Math.min(count, 256) }, (_, index) => range.from + ((start + index) % count));
}

/**
 * Opens a device-bound UDP socket and lends its descriptor to `node:dgram`, which has the event loop.
 *
 * @throws SystemCallError
 */
export async function openLinuxUdpSocket(
  grant: SocketGrant,
  nic: NetworkInterface | null,
  options: UdpOptions,
): Promise<UdpSocket> {
  let fd: number | null = null;
  const ports = candidatePorts(grant, Math.random);
  for (const [index, port] of ports.entries()) {
    try {
      fd = openBound(grant, nic, port, options);
      break;
    } catch (error) {
      const isTaken = error instanceof SystemCallError && error.errno === 98;
      if (!isTaken || index === ports.length - 1) {
        throw error;
      }
    }
  }
  const socket = createSocket("udp4");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ fd: fd ?? -1 }, () => {
      socket.off("error", reject);
      resolve();
    });
  });
  return new LinuxUdpSocket(grant, nic, socket);
}

class LinuxUdpSocket implements UdpSocket {
  readonly grant: SocketGrant;
  readonly localAddress: Ipv4Address;
  readonly localPort: number;
  readonly #nic: NetworkInterface | null;
  readonly #socket: Socket;
  #errorHandler: (error: Error) => void = () => undefined;

  constructor(grant: SocketGrant, nic: NetworkInterface | null, socket: Socket) {
    this.grant = grant;
    this.#nic = nic;
    this.#socket = socket;
    const bound = socket.address();
    this.localAddress = Ipv4Address.parse(bound.address);
    this.localPort = bound.port;
    socket.on("error", (error) => this.#errorHandler(error));
  }

  onDatagram(handler: (datagram: Datagram) => void): void {
    const interfaceName = this.#nic?.name ?? "";
    this.#socket.on("message", (bytes, source) =>
      handler({
        bytes,
        sourceAddress: source.address as Ipv4Address,
        sourcePort: source.port,
        interfaceName,
      }),
    );
  }

  send(bytes: Uint8Array, to: { readonly address: Ipv4Address; readonly port: number }): void {
    this.#socket.send(bytes, to.port, to.address, (error) => {
      if (error !== null) {
        this.#errorHandler(error);
      }
    });
  }

  sendToHardware(
    bytes: Uint8Array,
    to: { readonly mac: MacAddress; readonly address: Ipv4Address; readonly port: number },
  ): void {
    const nic = this.#nic;
    if (nic === null) {
      this.#errorHandler(
        new NetworkError("not-supported", "a reply to a hardware address needs an interface"),
      );
      return;
    }
    const frame = encodeUdpFrame({
      sourceMac: nic.mac,
      destinationMac: to.mac,
      source: nic.address,
      destination: to.address,
      sourcePort: this.localPort,
      destinationPort: to.port,
      payload: bytes,
    });
    try {
      sendFrame(nic.index, frame);
    } catch (error) {
      this.#errorHandler(error instanceof Error ? error : new Error(String(error)));
    }
  }

  onError(handler: (error: Error) => void): void {
    this.#errorHandler = handler;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.close(() => resolve());
    });
  }
}

/** One Ethernet frame out of an interface, past the ARP table. struct sockaddr_ll: packet(7). */
function sendFrame(interfaceIndex: number, frame: Uint8Array): void {
  const fd = openSocket(k.AF_PACKET, k.SOCK_RAW | k.SOCK_CLOEXEC, 0);
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
