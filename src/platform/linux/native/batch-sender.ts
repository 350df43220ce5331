import {
  addressOf,
  sendMessages,
  socketConstants as k,
  SystemCallError,
  systemErrors,
} from "./socket-calls.ts";

/*
 * struct mmsghdr of 64-bit Linux, 64 bytes: name pointer 0, name length 8, iovec pointer 16, iovec count 24, control
 * pointer 32, control length 40, flags 48, sent length 56. struct iovec: pointer 0, length 8. struct cmsghdr: length 0,
 * level 8, type 12, then the value. sendmmsg(2), cmsg(3), udp(7)
 */
const headerSizeBytes = 64;
const vectorSizeBytes = 16;
const controlSizeBytes = 24;
const controlUsedBytes = 18;

const messageCountMax = 64;
/** UDP_MAX_SEGMENTS of kernels before 6.10. */
const segmentCountMax = 64;
/** The segments of one message together are at most one IPv4 datagram's payload. */
const messageBytesMax = 65_507;

/**
 * Sends many datagrams to one address in one system call, joined into large messages that the kernel or the network
 * card cuts up again (UDP_SEGMENT). Where cutting up is refused it sends them one by one, still in one call.
 */
export class BatchSender {
  readonly #fd: number;
  readonly #headers = Buffer.alloc(messageCountMax * headerSizeBytes);
  readonly #vectors = Buffer.alloc(messageCountMax * vectorSizeBytes);
  readonly #controls = Buffer.alloc(messageCountMax * controlSizeBytes);
  #canSegment = true;

  constructor(fd: number) {
    this.#fd = fd;
    const vectorsAt = addressOf(this.#vectors);
    for (let index = 0; index < messageCountMax; index += 1) {
      const header = index * headerSizeBytes;
      this.#headers.writeUInt32LE(16, header + 8);
      this.#headers.writeBigUInt64LE(vectorsAt + BigInt(index * vectorSizeBytes), header + 16);
      this.#headers.writeBigUInt64LE(1n, header + 24);
      const control = index * controlSizeBytes;
      this.#controls.writeBigUInt64LE(BigInt(controlUsedBytes), control);
      this.#controls.writeInt32LE(k.IPPROTO_UDP, control + 8);
      this.#controls.writeInt32LE(k.UDP_SEGMENT, control + 12);
    }
  }

  /**
   * @param address struct sockaddr_in
   * @returns the bytes taken; less than all when the socket's buffer is full
   * @throws SystemCallError
   */
  send(bytes: Uint8Array, datagramSizeBytes: number, address: Uint8Array): number {
    let takenBytes = 0;
    while (takenBytes < bytes.byteLength) {
      const messageSizeBytes = datagramSizeBytes * this.#segmentCount(datagramSizeBytes);
      const rest = bytes.subarray(takenBytes);
      const count = this.#prepare(rest, datagramSizeBytes, messageSizeBytes, address);
      try {
        const sentCount = sendMessages(this.#fd, this.#headers, count);
        takenBytes += Math.min(rest.byteLength, sentCount * messageSizeBytes);
      } catch (error) {
        if (!(error instanceof SystemCallError)) {
          throw error;
        }
        if (error.errno === systemErrors.EAGAIN) {
          return takenBytes;
        }
        const isRefusal = error.errno === systemErrors.EINVAL || error.errno === systemErrors.EIO;
        if (!isRefusal || messageSizeBytes === datagramSizeBytes) {
          throw error;
        }
        // This kernel or card cannot cut up messages for this link.
        this.#canSegment = false;
      }
    }
    return takenBytes;
  }

  #segmentCount(datagramSizeBytes: number): number {
    const fitting = Math.floor(messageBytesMax / datagramSizeBytes);
    return this.#canSegment ? Math.max(1, Math.min(segmentCountMax, fitting)) : 1;
  }

  /** @returns messages prepared */
  #prepare(
    bytes: Uint8Array,
    datagramSizeBytes: number,
    messageSizeBytes: number,
    address: Uint8Array,
  ): number {
    const count = Math.min(messageCountMax, Math.ceil(bytes.byteLength / messageSizeBytes));
    const [bytesAt, nameAt, controlsAt] = [addressOf(bytes), addressOf(address), addressOf(this.#controls)];
    for (let index = 0; index < count; index += 1) {
      const from = index * messageSizeBytes;
      const sizeBytes = Math.min(messageSizeBytes, bytes.byteLength - from);
      const header = index * headerSizeBytes;
      const control = index * controlSizeBytes;
      const isSegmented = sizeBytes > datagramSizeBytes;
      this.#headers.writeBigUInt64LE(nameAt, header);
      this.#headers.writeBigUInt64LE(isSegmented ? controlsAt + BigInt(control) : 0n, header + 32);
      this.#headers.writeBigUInt64LE(isSegmented ? BigInt(controlSizeBytes) : 0n, header + 40);
      this.#vectors.writeBigUInt64LE(bytesAt + BigInt(from), index * vectorSizeBytes);
      this.#vectors.writeBigUInt64LE(BigInt(sizeBytes), index * vectorSizeBytes + 8);
      this.#controls.writeUInt16LE(datagramSizeBytes, control + 16);
    }
    return count;
  }
}
