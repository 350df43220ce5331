import { dlopen, getInt32, getRawPointer } from "node:ffi";

/* Constants of Linux on x86-64 and arm64: asm-generic/socket.h, linux/in.h, linux/if_packet.h */
export const socketConstants = {
  AF_INET: 2,
  AF_PACKET: 17,
  SOCK_DGRAM: 2,
  SOCK_RAW: 3,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_BROADCAST: 6,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_BINDTODEVICE: 25,
  SO_SNDBUFFORCE: 32,
  SO_RCVBUFFORCE: 33,
  IPPROTO_IP: 0,
  IP_MTU_DISCOVER: 10,
  IP_PMTUDISC_PROBE: 3,
  IP_MULTICAST_IF: 32,
  IP_MULTICAST_TTL: 33,
  IP_MULTICAST_LOOP: 34,
  IP_ADD_MEMBERSHIP: 35,
  IP_MULTICAST_ALL: 49,
  IPPROTO_UDP: 17,
  UDP_SEGMENT: 103,
  UDP_GRO: 104,
} as const;

/** errno(3) on Linux: those that are told apart here. */
export const systemErrors = {
  EPERM: 1,
  EIO: 5,
  EAGAIN: 11,
  EACCES: 13,
  ENODEV: 19,
  EINVAL: 22,
  EMSGSIZE: 90,
  ENOPROTOOPT: 92,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ENOBUFS: 105,
  EHOSTUNREACH: 113,
} as const;

const errorNames = new Map<number, string>(
  Object.entries(systemErrors).map(([name, errno]) => [errno, name]),
);

const { functions: libc } = dlopen("libc.so.6", {
  socket: { arguments: ["i32", "i32", "i32"], return: "i32" },
  setsockopt: { arguments: ["i32", "i32", "i32", "pointer", "u32"], return: "i32" },
  bind: { arguments: ["i32", "pointer", "u32"], return: "i32" },
  sendto: { arguments: ["i32", "pointer", "u64", "i32", "pointer", "u32"], return: "i64" },
  sendmmsg: { arguments: ["i32", "pointer", "u32", "i32"], return: "i32" },
  recvmmsg: { arguments: ["i32", "pointer", "u32", "i32", "pointer"], return: "i32" },
  close: { arguments: ["i32"], return: "i32" },
  ioctl: { arguments: ["i32", "u64", "pointer"], return: "i32" },
  epoll_create1: { arguments: ["i32"], return: "i32" },
  epoll_ctl: { arguments: ["i32", "i32", "i32", "pointer"], return: "i32" },
  epoll_wait: { arguments: ["i32", "pointer", "i32", "i32"], return: "i32" },
  if_nametoindex: { arguments: ["pointer"], return: "u32" },
  __errno_location: { arguments: [], return: "pointer" },
});

/** A system call said no. `errno` is the number, the message names the call. */
export class SystemCallError extends Error {
  readonly call: string;
  readonly errno: number;

  constructor(call: string, errno: number) {
    super(`${call}: ${errorNames.get(errno) ?? `errno ${errno}`}`);
    this.name = "SystemCallError";
    this.call = call;
    this.errno = errno;
  }
}

function check(call: string, outcome: number | bigint): number {
  if (Number(outcome) < 0) {
    throw new SystemCallError(call, getInt32(libc.__errno_location()));
  }
  return Number(outcome);
}

export function openSocket(domain: number, type: number, protocol: number): number {
  return check("socket", libc.socket(domain, type, protocol));
}

export function setSocketOption(
  fd: number,
  level: number,
  option: number,
  value: Uint8Array,
  name: string,
): void {
  check(`setsockopt ${name}`, libc.setsockopt(fd, level, option, getRawPointer(value), value.byteLength));
}

export function setIntegerOption(
  fd: number,
  level: number,
  option: number,
  value: number,
  name: string,
): void {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  setSocketOption(fd, level, option, bytes, name);
}

export function bindSocket(fd: number, address: Uint8Array): void {
  check("bind", libc.bind(fd, getRawPointer(address), address.byteLength));
}

export function sendToSocket(fd: number, bytes: Uint8Array, address: Uint8Array): void {
  const sent = libc.sendto(
    fd,
    getRawPointer(bytes),
    BigInt(bytes.byteLength),
    0,
    getRawPointer(address),
    address.byteLength,
  );
  check("sendto", sent);
}

/** Sends `count` messages of an array of struct mmsghdr; how many went. @throws SystemCallError when none did */
export function sendMessages(fd: number, headers: Uint8Array, count: number): number {
  return check("sendmmsg", libc.sendmmsg(fd, getRawPointer(headers), count, 0));
}

/** Fills an array of struct mmsghdr with what waits; how many. The descriptor is non-blocking. @throws SystemCallError */
export function receiveMessages(fd: number, headers: Uint8Array, countMax: number): number {
  const count = libc.recvmmsg(fd, getRawPointer(headers), countMax, 0, 0n);
  // Nothing waits: that is most calls' end, and an exception for each would be dear.
  const isEmpty = count < 0 && getInt32(libc.__errno_location()) === systemErrors.EAGAIN;
  return isEmpty ? 0 : check("recvmmsg", count);
}

/** @returns a descriptor by which many others are asked at once. epoll(7) */
export function openEventPoll(): number {
  // EPOLL_CLOEXEC has the value of the flag for sockets.
  return check("epoll_create1", libc.epoll_create1(socketConstants.SOCK_CLOEXEC));
}

/** A watched descriptor is forgotten by the kernel when it is closed. `event`: struct epoll_event. */
export function watchDescriptor(poll: number, fd: number, event: Uint8Array): void {
  const EPOLL_CTL_ADD = 1;
  check("epoll_ctl", libc.epoll_ctl(poll, EPOLL_CTL_ADD, fd, getRawPointer(event)));
}

/** Fills an array of struct epoll_event with what is ready now; how many. It never waits. */
export function readyDescriptors(poll: number, events: Uint8Array, countMax: number): number {
  return check("epoll_wait", libc.epoll_wait(poll, getRawPointer(events), countMax, 0));
}

/** Where the kernel finds these bytes. They must stay referenced while it may look. */
export function addressOf(bytes: Uint8Array): bigint {
  return getRawPointer(bytes);
}

export function closeSocket(fd: number): void {
  check("close", libc.close(fd));
}

/** Index of an interface in this network namespace; sysfs may be that of another. */
export function interfaceIndex(name: string): number {
  return libc.if_nametoindex(getRawPointer(Buffer.from(`${name}\0`)));
}

/** netdevice(7): SIOCGIFMTU fills the word after the 16 bytes of the name. */
export function interfaceMtuBytes(name: string): number {
  const fd = openSocket(
    socketConstants.AF_INET,
    socketConstants.SOCK_DGRAM | socketConstants.SOCK_CLOEXEC,
    0,
  );
  try {
    const request = Buffer.alloc(40);
    request.write(name, 0, 15, "latin1");
    check("ioctl SIOCGIFMTU", libc.ioctl(fd, 0x8921n, getRawPointer(request)));
    return request.readInt32LE(16);
  } finally {
    closeSocket(fd);
  }
}
