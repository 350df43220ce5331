import { TftpErrorCode, type TftpPacket } from "#wire/tftp/packet.ts";
import type { TransferTerms } from "./negotiate-options.ts";

export type TransferOutcome =
  | { readonly type: "complete"; readonly sentBytes: number; readonly resentBlockCount: number }
  /** The client said it does not want more; firmware does this after learning `tsize`. */
  | { readonly type: "aborted-by-client"; readonly code: number; readonly message: string }
  | { readonly type: "timed-out"; readonly acknowledgedBytes: number };

/** What the service must do next. */
export type TransferOutput =
  | { readonly type: "send"; readonly packet: TftpPacket }
  | { readonly type: "wake"; readonly atMs: number }
  | { readonly type: "finish"; readonly outcome: TransferOutcome };

const retryCountMax = 6;

/**
 * One read transfer over a file that is in memory. Blocks count from 1 without wrapping inside; 16 bits travel, and
 * a file may have more than 65535 blocks because the number rolls over to 0, as every common client expects.
 *
 * @see RFC 1350 §2 and §6, RFC 2347 (OACK), RFC 7440 §4 (windows)
 */
export class ReadTransfer {
  readonly #file: Uint8Array;
  readonly #terms: TransferTerms;
  readonly #lastBlock: number;
  /** 0 while the OACK is not acknowledged. */
  #acknowledgedBlock = 0;
  #sentBlock = 0;
  #isOptionAckPending: boolean;
  #retryCount = 0;
  #resentBlockCount = 0;
  #wakeAtMs = 0;
  #isFinished = false;

  constructor(file: Uint8Array, terms: TransferTerms) {
    this.#file = file;
    this.#terms = terms;
    this.#lastBlock = Math.floor(file.byteLength / terms.blockSizeBytes) + 1;
    this.#isOptionAckPending = terms.acknowledged.size > 0;
  }

  start(nowMs: number): TransferOutput[] {
    return this.#isOptionAckPending
      ? [
          { type: "send", packet: { type: "option-ack", options: this.#terms.acknowledged } },
          this.#wake(nowMs),
        ]
      : this.#sendWindow(nowMs);
  }

  receive(packet: TftpPacket, nowMs: number): TransferOutput[] {
    if (this.#isFinished) {
      return [];
    }
    switch (packet.type) {
      case "ack":
        return this.#receiveAck(packet.blockNumber, nowMs);
      case "error":
        return this.#finish({ type: "aborted-by-client", code: packet.code, message: packet.message });
      case "data":
      case "option-ack":
      case "write-request":
        return [
          {
            type: "send",
            packet: {
              type: "error",
              code: TftpErrorCode.illegalOperation,
              message: "this is a read transfer",
            },
          },
        ];
      case "read-request":
        // A repeated request means that our first answer was lost; the timer answers it.
        return [];
    }
  }

  wake(nowMs: number): TransferOutput[] {
    if (this.#isFinished || nowMs < this.#wakeAtMs) {
      return [];
    }
    this.#retryCount += 1;
    if (this.#retryCount > retryCountMax) {
      const acknowledgedBytes = Math.min(
        this.#acknowledgedBlock * this.#terms.blockSizeBytes,
        this.#file.byteLength,
      );
      return this.#finish({ type: "timed-out", acknowledgedBytes });
    }
    if (this.#isOptionAckPending) {
      return this.start(nowMs);
    }
    this.#resentBlockCount += this.#sentBlock - this.#acknowledgedBlock;
    this.#sentBlock = this.#acknowledgedBlock;
    return this.#sendWindow(nowMs);
  }

  #receiveAck(blockNumber: number, nowMs: number): TransferOutput[] {
    if (this.#isOptionAckPending) {
      if (blockNumber !== 0) {
        return [];
      }
      this.#isOptionAckPending = false;
      this.#retryCount = 0;
      return this.#sendWindow(nowMs);
    }
    const block = this.#unwrap(blockNumber);
    // An acknowledgement from before the window is a duplicate. Answering it would double every later packet: the
    // Sorcerer's Apprentice. RFC 1123 §4.2.3.1
    if (block === null || block < this.#acknowledgedBlock) {
      return [];
    }
    if (block === this.#acknowledgedBlock) {
      // With windows this is how a client reports a gap (RFC 7440 §4); in lock-step it is a duplicate.
      if (this.#terms.windowBlockCount === 1 || this.#sentBlock === block) {
        return [];
      }
      this.#resentBlockCount += this.#sentBlock - block;
    } else if (block < this.#sentBlock) {
      this.#resentBlockCount += this.#sentBlock - block;
    }
    this.#acknowledgedBlock = block;
    this.#sentBlock = block;
    this.#retryCount = 0;
    return block === this.#lastBlock
      ? this.#finish({
          type: "complete",
          sentBytes: this.#file.byteLength,
          resentBlockCount: this.#resentBlockCount,
        })
      : this.#sendWindow(nowMs);
  }

  /** The block a 16-bit number means now, or `null` when it is none that was sent. */
  #unwrap(blockNumber: number): number | null {
    const base = this.#acknowledgedBlock;
    const ahead = (blockNumber - (base & 0xffff) + 0x10000) & 0xffff;
    const block = base + ahead;
    return block <= this.#sentBlock ? block : null;
  }

  #sendWindow(nowMs: number): TransferOutput[] {
    const { blockSizeBytes, windowBlockCount } = this.#terms;
    const outputs: TransferOutput[] = [];
    const end = Math.min(this.#acknowledgedBlock + windowBlockCount, this.#lastBlock);
    for (let block = this.#sentBlock + 1; block <= end; block += 1) {
      const from = (block - 1) * blockSizeBytes;
      const data = this.#file.subarray(from, from + blockSizeBytes);
      outputs.push({ type: "send", packet: { type: "data", blockNumber: block & 0xffff, data } });
    }
    this.#sentBlock = end;
    outputs.push(this.#wake(nowMs));
    return outputs;
  }

  #wake(nowMs: number): TransferOutput {
    this.#wakeAtMs = nowMs + this.#terms.retransmitMs;
    return { type: "wake", atMs: this.#wakeAtMs };
  }

  #finish(outcome: TransferOutcome): TransferOutput[] {
    this.#isFinished = true;
    return [{ type: "finish", outcome }];
  }
}
