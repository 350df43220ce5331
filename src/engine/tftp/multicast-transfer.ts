import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { TftpErrorCode, type TftpPacket } from "#wire/tftp/packet.ts";
import type { TransferTerms } from "./negotiate-options.ts";

export type MulticastOutput =
  | { readonly type: "send-to-client"; readonly clientKey: string; readonly packet: TftpPacket }
  | { readonly type: "send-to-group"; readonly packet: TftpPacket }
  | { readonly type: "wake"; readonly atMs: number }
  | {
      readonly type: "client-ended";
      readonly clientKey: string;
      readonly outcome: "complete" | "aborted" | "silent";
    }
  | { readonly type: "finish"; readonly sentBlockCount: number };

export type MulticastTerms = TransferTerms & {
  readonly group: Ipv4Address;
  readonly port: number;
  /** `rfc2090` appoints masters by OACK; `mtftp` (PXE) knows no options: who asks first is the master. */
  readonly protocol: "rfc2090" | "mtftp";
};

const retryCountMax = 6;
/** A block that was sent this often without an answer shows that the group does not reach the master. */
const unheardCountMax = 3;
/** A room. Beyond it a request is refused with a TFTP error and the client may read by unicast. */
const clientCountMax = 512;

/**
 * One file sent to a group. The master acknowledges, the others listen; when the master has everything, or falls
 * silent, the next client becomes master and asks for what it lacks. A master that the group does not reach gets its
 * blocks by unicast as well, so that it boots all the same.
 *
 * @see RFC 2090, PXE 2.1 MTFTP
 */
export class MulticastTransfer {
  readonly #file: Uint8Array;
  readonly #terms: MulticastTerms;
  readonly #lastBlock: number;
  /** Clients in the order they asked, without the master. BOUNDED by `clientCountMax`. */
  readonly #waiting: string[] = [];
  /** What each waiting client must be told again: how it asked. Keyed by client key. BOUNDED as `#waiting`. */
  readonly #acknowledged = new Map<string, ReadonlyMap<string, string>>();
  #master: string | null = null;
  #isMasterAppointed = false;
  /** How often the block on the wire was sent. */
  #sendCount = 0;
  #isMasterDeaf = false;
  #nextBlock = 1;
  #retryCount = 0;
  #wakeAtMs = 0;
  #sentBlockCount = 0;
  #isFinished = false;

  constructor(file: Uint8Array, terms: MulticastTerms) {
    this.#file = file;
    this.#terms = terms;
    this.#lastBlock = Math.floor(file.byteLength / terms.blockSizeBytes) + 1;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** A client's read request; `acknowledged` are the options to grant it beside `multicast`. */
  join(clientKey: string, acknowledged: ReadonlyMap<string, string>, nowMs: number): MulticastOutput[] {
    if (this.#isFinished) {
      return [];
    }
    if (clientKey === this.#master || this.#waiting.includes(clientKey)) {
      return clientKey === this.#master ? this.#appoint(nowMs) : this.#greet(clientKey);
    }
    if (this.#waiting.length >= clientCountMax) {
      const packet = { type: "error", code: TftpErrorCode.undefined, message: "too many clients" } as const;
      return [{ type: "send-to-client", clientKey, packet }];
    }
    this.#acknowledged.set(clientKey, acknowledged);
    if (this.#master === null) {
      this.#master = clientKey;
      return this.#appoint(nowMs);
    }
    this.#waiting.push(clientKey);
    return this.#greet(clientKey);
  }

  receive(clientKey: string, packet: TftpPacket, nowMs: number): MulticastOutput[] {
    if (this.#isFinished) {
      return [];
    }
    if (packet.type === "error") {
      return this.#end(clientKey, "aborted", nowMs);
    }
    if (packet.type !== "ack" || clientKey !== this.#master) {
      return [];
    }
    return this.#receiveAck(clientKey, packet.blockNumber, nowMs);
  }

  wake(nowMs: number): MulticastOutput[] {
    if (this.#isFinished || this.#master === null || nowMs < this.#wakeAtMs) {
      return [];
    }
    this.#retryCount += 1;
    if (this.#retryCount > retryCountMax) {
      return this.#end(this.#master, "silent", nowMs);
    }
    return this.#isMasterAppointed ? this.#sendBlock(nowMs) : this.#appoint(nowMs);
  }

  #receiveAck(clientKey: string, blockNumber: number, nowMs: number): MulticastOutput[] {
    const block = this.#unwrap(blockNumber);
    if (block >= this.#lastBlock) {
      return this.#end(clientKey, "complete", nowMs);
    }
    // Answering a second acknowledgement of the same block would double all that follows (RFC 1123 §4.2.3.1).
    if (this.#isMasterAppointed && block + 1 <= this.#nextBlock) {
      return [];
    }
    this.#isMasterAppointed = true;
    this.#retryCount = 0;
    this.#sendCount = 0;
    this.#nextBlock = block + 1;
    return this.#sendBlock(nowMs);
  }

  /** The full block number nearest to what is on the wire now; a new master may name any block it lacks. */
  #unwrap(blockNumber: number): number {
    if (!this.#isMasterAppointed && this.#lastBlock <= 0xffff) {
      return blockNumber;
    }
    const base = this.#nextBlock - 1;
    const difference = ((blockNumber - (base & 0xffff) + 0x18000) & 0xffff) - 0x8000;
    return Math.max(0, base + difference);
  }

  #appoint(nowMs: number): MulticastOutput[] {
    const clientKey = this.#master;
    if (clientKey === null) {
      return [];
    }
    this.#isMasterDeaf = false;
    this.#sendCount = 0;
    if (this.#terms.protocol === "mtftp") {
      this.#isMasterAppointed = true;
      this.#nextBlock = 1;
      // By a unicast block, which it alone gets, a client knows that it is the master.
      return [this.#blockTo(clientKey), ...this.#sendBlock(nowMs)];
    }
    this.#isMasterAppointed = false;
    return [this.#optionAck(clientKey, true), this.#wakeLater(nowMs)];
  }

  /** In MTFTP those who only listen are told nothing. */
  #greet(clientKey: string): MulticastOutput[] {
    return this.#terms.protocol === "mtftp" ? [] : [this.#optionAck(clientKey, false)];
  }

  #optionAck(clientKey: string, isMaster: boolean): MulticastOutput {
    const value = `${this.#terms.group},${this.#terms.port},${isMaster ? 1 : 0}`;
    const options = new Map([...(this.#acknowledged.get(clientKey) ?? []), ["multicast", value] as const]);
    return { type: "send-to-client", clientKey, packet: { type: "option-ack", options } };
  }

  #sendBlock(nowMs: number): MulticastOutput[] {
    this.#sentBlockCount += 1;
    this.#sendCount += 1;
    this.#isMasterDeaf ||= this.#sendCount > unheardCountMax;
    const toGroup: MulticastOutput = { type: "send-to-group", packet: this.#block() };
    const master = this.#isMasterDeaf ? this.#master : null;
    return [toGroup, ...(master === null ? [] : [this.#blockTo(master)]), this.#wakeLater(nowMs)];
  }

  #block(): TftpPacket {
    const from = (this.#nextBlock - 1) * this.#terms.blockSizeBytes;
    const data = this.#file.subarray(from, from + this.#terms.blockSizeBytes);
    return { type: "data", blockNumber: this.#nextBlock & 0xffff, data };
  }

  #blockTo(clientKey: string): MulticastOutput {
    return { type: "send-to-client", clientKey, packet: this.#block() };
  }

  #end(clientKey: string, outcome: "complete" | "aborted" | "silent", nowMs: number): MulticastOutput[] {
    const ended: MulticastOutput = { type: "client-ended", clientKey, outcome };
    this.#acknowledged.delete(clientKey);
    if (clientKey !== this.#master) {
      const index = this.#waiting.indexOf(clientKey);
      if (index === -1) {
        return [];
      }
      this.#waiting.splice(index, 1);
      return [ended];
    }
    this.#master = this.#waiting.shift() ?? null;
    this.#retryCount = 0;
    // MTFTP listeners open a transfer of their own when this one has fallen silent.
    if (this.#master === null || this.#terms.protocol === "mtftp") {
      this.#isFinished = true;
      return [ended, { type: "finish", sentBlockCount: this.#sentBlockCount }];
    }
    return [ended, ...this.#appoint(nowMs)];
  }

  #wakeLater(nowMs: number): MulticastOutput {
    this.#wakeAtMs = nowMs + this.#terms.retransmitMs;
    return { type: "wake", atMs: this.#wakeAtMs };
  }
}
