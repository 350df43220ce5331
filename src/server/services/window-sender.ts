import type { TransferOutput } from "#engine/tftp/read-transfer.ts";
import type { UdpSocket } from "#platform/network.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { blockHeaderSizeBytes, encodeTftpPacket, writeDataPacket } from "#wire/tftp/packet.ts";

type Receiver = {
  readonly socket: UdpSocket;
  readonly client: { readonly address: Ipv4Address; readonly port: number };
};

/** Sends what a transfer puts out; the blocks of a window are built in memory that is used again and leave by one call. */
export class WindowSender {
  /** Grows to the largest window. BOUNDED by 64 blocks of a link's MTU. */
  #bytes = new Uint8Array(64 * 1472);

  send({ socket, client }: Receiver, outputs: readonly TransferOutput[]): void {
    let usedBytes = 0;
    let datagramSizeBytes = 0;
    for (const output of outputs) {
      if (output.type !== "send") {
        continue;
      }
      const { packet } = output;
      if (packet.type === "data") {
        const sizeBytes = blockHeaderSizeBytes + packet.data.byteLength;
        // All of a window are as long as its first; only the last of the file may be shorter.
        datagramSizeBytes = usedBytes === 0 ? sizeBytes : datagramSizeBytes;
        this.#reserve(usedBytes + sizeBytes);
        usedBytes = writeDataPacket(this.#bytes, usedBytes, packet);
      } else {
        socket.send(encodeTftpPacket(packet), client);
      }
    }
    const isWindow = usedBytes > datagramSizeBytes;
    let sentBytes = isWindow
      ? socket.sendBatch(this.#bytes.subarray(0, usedBytes), datagramSizeBytes, client)
      : 0;
    for (; sentBytes < usedBytes; sentBytes += datagramSizeBytes) {
      const end = Math.min(sentBytes + datagramSizeBytes, usedBytes);
      socket.send(this.#bytes.subarray(sentBytes, end), client);
    }
  }

  #reserve(sizeBytes: number): void {
    if (sizeBytes > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(sizeBytes, this.#bytes.byteLength * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
  }
}
