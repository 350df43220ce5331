import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { addressOf, receiveMessages } from "./socket-calls.ts";

/* struct mmsghdr and struct iovec of 64-bit Linux as in batch-sender.ts; struct sockaddr_in: ip(7), 16 bytes. */
const headerSizeBytes = 64;
const vectorSizeBytes = 16;
const addressSizeBytes = 16;
const receivedSizeAt = 56;

const messageCountMax = 32;
/** The largest message: datagrams that the kernel has joined. Memory that no message reaches is never touched. */
const messageBytesMax = 65_536;

export type ReceiveHandler = (bytes: Uint8Array, sourceAddress: Ipv4Address, sourcePort: number) => void;

/** Reads what waits at one socket or another, many datagrams in one system call, into memory that is used again. */
export class BatchReceiver {
  readonly #memory = Buffer.allocUnsafeSlow(messageCountMax * messageBytesMax);
  readonly #messages: readonly Uint8Array[];
  readonly #headers = Buffer.alloc(messageCountMax * headerSizeBytes);
  readonly #vectors = Buffer.alloc(messageCountMax * vectorSizeBytes);
  readonly #addresses = Buffer.alloc(messageCountMax * addressSizeBytes);
  /** The last source as the kernel wrote it, and in words: a stream of datagrams has one. */
  #sourceNumber = -1;
  #sourceAddress: Ipv4Address = Ipv4Address.any;

  constructor() {
    const [memoryAt, vectorsAt] = [addressOf(this.#memory), addressOf(this.#vectors)];
    const addressesAt = addressOf(this.#addresses);
    this.#messages = Array.from({ length: messageCountMax }, (_, index) => {
      const [header, vector, from] = [
        index * headerSizeBytes,
        index * vectorSizeBytes,
        index * messageBytesMax,
      ];
      this.#headers.writeBigUInt64LE(addressesAt + BigInt(index * addressSizeBytes), header);
      this.#headers.writeUInt32LE(addressSizeBytes, header + 8);
      this.#headers.writeBigUInt64LE(vectorsAt + BigInt(vector), header + 16);
      this.#headers.writeBigUInt64LE(1n, header + 24);
      this.#vectors.writeBigUInt64LE(memoryAt + BigInt(from), vector);
      this.#vectors.writeBigUInt64LE(BigInt(messageBytesMax), vector + 8);
      return this.#memory.subarray(from, from + messageBytesMax);
    });
  }

  /**
   * Hands over what waits now, at most 32 messages. The bytes are valid only until the handler returns.
   *
   * @throws SystemCallError
   */
  receive(fd: number, handler: ReceiveHandler): void {
    const count = receiveMessages(fd, this.#headers, messageCountMax);
    for (let index = 0; index < count; index += 1) {
      const sizeBytes = this.#headers.readUInt32LE(index * headerSizeBytes + receivedSizeAt);
      const message = this.#messages[index];
      if (message !== undefined) {
        const address = index * addressSizeBytes;
        const sourceAddress = this.#nameOf(this.#addresses.readUInt32BE(address + 4));
        handler(message.subarray(0, sizeBytes), sourceAddress, this.#addresses.readUInt16BE(address + 2));
      }
    }
  }

  #nameOf(sourceNumber: number): Ipv4Address {
    if (sourceNumber !== this.#sourceNumber) {
      this.#sourceNumber = sourceNumber;
      this.#sourceAddress = Ipv4Address.fromNumber(sourceNumber);
    }
    return this.#sourceAddress;
  }
}
