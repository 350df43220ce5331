import type { SocketGrant } from "#plan/socket-grant.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { candidatePorts } from "../candidate-ports.ts";
import type { NetworkInterface, UdpOptions } from "../network.ts";
import {
  bindSocket,
  closeSocket,
  openSocket,
  setIntegerOption,
  setSocketOption,
  socketConstants as k,
  SystemCallError,
  systemErrors,
} from "./native/socket-calls.ts";

/** struct sockaddr_in. ip(7) */
export function socketAddress(address: Ipv4Address, port: number): Buffer {
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

/** With CAP_NET_ADMIN past `rmem_max` and `wmem_max`; others get what the system allows. */
function setBufferSize(fd: number, direction: "receive" | "send", sizeBytes: number): void {
  const [force, plain, name] =
    direction === "receive"
      ? [k.SO_RCVBUFFORCE, k.SO_RCVBUF, "SO_RCVBUF"]
      : [k.SO_SNDBUFFORCE, k.SO_SNDBUF, "SO_SNDBUF"];
  try {
    setIntegerOption(fd, k.SOL_SOCKET, force, sizeBytes, name);
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.errno !== systemErrors.EPERM) {
      throw error;
    }
    setIntegerOption(fd, k.SOL_SOCKET, plain, sizeBytes, name);
  }
}

/** Asks the kernel to hand over datagrams joined. One that cannot hands them over one by one, which is right as well. */
function joinDatagrams(fd: number): void {
  try {
    setIntegerOption(fd, k.IPPROTO_UDP, k.UDP_GRO, 1, "UDP_GRO");
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.errno !== systemErrors.ENOPROTOOPT) {
      throw error;
    }
  }
}

/** Whether others may bind the same port: only sockets that share it by their groups. */
export function allowsReuse(grant: SocketGrant, options: UdpOptions): boolean {
  return options.reuseAddress ?? grant.groups.length > 0;
}

function bindToInterface(fd: number, nic: NetworkInterface): void {
  setSocketOption(fd, k.SOL_SOCKET, k.SO_BINDTODEVICE, Buffer.from(`${nic.name}\0`), "SO_BINDTODEVICE");
  const toInterface = membership(Ipv4Address.any, nic.index);
  setSocketOption(fd, k.IPPROTO_IP, k.IP_MULTICAST_IF, toInterface, "IP_MULTICAST_IF");
}

function applyOptions(
  fd: number,
  grant: SocketGrant,
  nic: NetworkInterface | null,
  options: UdpOptions,
): void {
  if (allowsReuse(grant, options)) {
    setIntegerOption(fd, k.SOL_SOCKET, k.SO_REUSEADDR, 1, "SO_REUSEADDR");
  }
  if (nic !== null) {
    bindToInterface(fd, nic);
  }
  if (options.broadcast === true) {
    setIntegerOption(fd, k.SOL_SOCKET, k.SO_BROADCAST, 1, "SO_BROADCAST");
  }
  if (grant.ttl !== null) {
    setIntegerOption(fd, k.IPPROTO_IP, k.IP_MULTICAST_TTL, grant.ttl, "IP_MULTICAST_TTL");
  }
  if (options.receiveBufferBytes !== undefined) {
    setBufferSize(fd, "receive", options.receiveBufferBytes);
  }
  if (options.sendBufferBytes !== undefined) {
    setBufferSize(fd, "send", options.sendBufferBytes);
  }
  if (options.neverFragment === true) {
    setIntegerOption(fd, k.IPPROTO_IP, k.IP_MTU_DISCOVER, k.IP_PMTUDISC_PROBE, "IP_MTU_DISCOVER");
  }
  if (options.joined === true) {
    joinDatagrams(fd);
  }
  // Only groups that this socket has joined, not those that others on the machine have.
  setIntegerOption(fd, k.IPPROTO_IP, k.IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL");
}

/** @throws SystemCallError */
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
    // A connecting socket only sends to its groups.
    for (const group of grant.side === "listen" ? grant.groups : []) {
      const joined = membership(group, nic?.index ?? 0);
      setSocketOption(fd, k.IPPROTO_IP, k.IP_ADD_MEMBERSHIP, joined, "IP_ADD_MEMBERSHIP");
    }
    return fd;
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

/**
 * A bound, non-blocking UDP descriptor as a grant says: pinned to its interface, joined to its groups, on its port or a
 * free one of its range. The caller owns it.
 *
 * @throws SystemCallError
 */
export function openUdpDescriptor(
  grant: SocketGrant,
  nic: NetworkInterface | null,
  options: UdpOptions,
): number {
  const ports = candidatePorts(grant);
  for (const [index, port] of ports.entries()) {
    try {
      return openBound(grant, nic, port, options);
    } catch (error) {
      const isTaken = error instanceof SystemCallError && error.errno === systemErrors.EADDRINUSE;
      if (!isTaken || index === ports.length - 1) {
        throw error;
      }
    }
  }
  throw new SystemCallError("bind", systemErrors.EADDRINUSE);
}
