import { MacAddress } from "#wire/address/mac-address.ts";
import { dlopen, getInt32, getRawPointer } from "node:ffi";
import { NetworkError } from "../network-error.ts";
import type { FrameTap, FrameWish } from "../watch-frames.ts";
import {
  bindSocket,
  closeSocket,
  interfaceIndex,
  openSocket,
  setSocketOption,
  socketConstants as k,
  SystemCallError,
  systemErrors,
} from "./native/socket-calls.ts";

/* linux/if_packet.h */
const solPacket = 263;
const packetAddMembership = 1;
const oneMulticast = 0;
const allMulticast = 2;
const outgoing = 4;
const everyProtocol = 0x0003;

const frameSizeBytesMax = 2048;
/** Frames taken at one look; the rest waits in the kernel's buffer, or is lost there: a tap never slows a network. */
const framesPerLookMax = 512;

const { functions: libc } = dlopen("libc.so.6", {
  recvfrom: { arguments: ["i32", "pointer", "u64", "i32", "pointer", "pointer"], return: "i64" },
  __errno_location: { arguments: [], return: "pointer" },
});

/**
 * Reads the wanted frames that arrive on an interface, those of multicast groups included, until it is closed. Sends nothing.
 * Frames are whole Ethernet frames without their check sequence, cut to 2048 bytes; the view is valid during the call.
 *
 * @throws NetworkError `no-privilege` without CAP_NET_RAW, `no-such-interface`
 */
export function openFrameTap(wish: FrameWish, onFrame: (frame: Uint8Array) => void): FrameTap {
  const { interfaceName: name, lookDelayMs } = wish;
  const index = interfaceIndex(name);
  if (index === 0) {
    throw new NetworkError("no-such-interface", `there is no interface ${name}`);
  }
  const fd = openTapDescriptor(index, wish);
  const buffer = Buffer.alloc(frameSizeBytesMax);
  const address = Buffer.alloc(20);
  const addressSize = Buffer.alloc(4);
  const timer = setInterval(() => {
    for (let count = 0; count < framesPerLookMax; count += 1) {
      addressSize.writeUInt32LE(address.byteLength);
      const received = libc.recvfrom(
        fd,
        getRawPointer(buffer),
        BigInt(buffer.byteLength),
        0,
        getRawPointer(address),
        getRawPointer(addressSize),
      );
      if (Number(received) < 0) {
        const errno = getInt32(libc.__errno_location());
        if (errno !== systemErrors.EAGAIN && errno !== systemErrors.ENETDOWN) {
          clearInterval(timer);
        }
        return;
      }
      if (address.readUInt8(10) !== outgoing) {
        onFrame(buffer.subarray(0, Number(received)));
      }
    }
  }, lookDelayMs);
  return {
    close: () => {
      clearInterval(timer);
      closeSocket(fd);
    },
  };
}

function openTapDescriptor(interfaceIndexNumber: number, { etherType, group }: FrameWish): number {
  const fd = openRawSocket();
  try {
    const address = Buffer.alloc(20);
    address.writeUInt16LE(k.AF_PACKET, 0);
    address.writeUInt16BE(etherType ?? everyProtocol, 2);
    address.writeInt32LE(interfaceIndexNumber, 4);
    bindSocket(fd, address);
    // struct packet_mreq: cards filter groups that nobody has joined; here they are wanted.
    const membership = Buffer.alloc(16);
    membership.writeInt32LE(interfaceIndexNumber, 0);
    membership.writeUInt16LE(group === null ? allMulticast : oneMulticast, 4);
    if (group !== null) {
      const bytes = MacAddress.toBytes(group);
      membership.writeUInt16LE(bytes.byteLength, 6);
      membership.set(bytes, 8);
    }
    setSocketOption(fd, solPacket, packetAddMembership, membership, "PACKET_ADD_MEMBERSHIP");
    return fd;
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

function openRawSocket(): number {
  try {
    // Protocol 0 until it is bound: otherwise frames of every interface would come in between.
    return openSocket(k.AF_PACKET, k.SOCK_RAW | k.SOCK_NONBLOCK | k.SOCK_CLOEXEC, 0);
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === systemErrors.EPERM) {
      throw new NetworkError("no-privilege", "watching the wire needs CAP_NET_RAW; run the agent as root", {
        cause: error,
      });
    }
    throw error;
  }
}
