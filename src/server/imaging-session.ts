import { randomBytes } from "node:crypto";
import type { Manifest } from "#engine/image/manifest.ts";
import type { GroupPort } from "#engine/multicast/allocate-pair.ts";
import { type LeftReason, MulticastSender, type SenderLimits } from "#engine/multicast/sender.ts";
import { sealChunk } from "#platform/chunk-seal.ts";
import type { Clock } from "#platform/clock.ts";
import type { UdpSocket } from "#platform/network.ts";
import type { AgentImagingMessage, Ranges, ServerImagingMessage } from "#wire/control/imaging-messages.ts";
import { encodeDataPacket } from "#wire/multicast/data-packet.ts";
import type { ChunkStore } from "./chunk-store.ts";

export type SessionMember = {
  readonly computerId: string;
  readonly taskKey: string;
  readonly send: (message: ServerImagingMessage) => void;
};

export type TransmissionOptions = {
  readonly sessionId: number;
  readonly pair: GroupPort;
  readonly manifest: Manifest;
  readonly blockSizeBytes: number;
  readonly limits: SenderLimits;
};

export type TransmissionDependencies = {
  readonly clock: Clock;
  readonly chunks: ChunkStore;
  /** One for each interface with receivers; all get the same datagrams. */
  readonly sockets: readonly UdpSocket[];
  readonly onLeft: (computerId: string, reason: LeftReason) => void;
};

/** How long receivers have to join their group before data flows. */
const readyMsMax = 5000;
const idleDelayMs = 4;
const askAgainMs = 2000;

/** One multicast transmission: the loop that joins the sender engine to chunks, sockets and control connections. */
export class Transmission {
  readonly #options: TransmissionOptions;
  readonly #dependencies: TransmissionDependencies;
  readonly #sender: MulticastSender;
  readonly #sessionKey = randomBytes(32);
  /** Keyed by computer id. BOUNDED by the computers of the job. */
  readonly #members = new Map<string, SessionMember>();
  /** Who was told of the session and has not joined its group yet. */
  readonly #notReady = new Set<string>();
  #sentBytes = 0;
  #judgedAtMs = 0;
  #isStopped = false;
  #wake: () => void = () => undefined;

  constructor(options: TransmissionOptions, dependencies: TransmissionDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    const { manifest, limits } = options;
    this.#sender = new MulticastSender(manifest.chunks.length, limits, dependencies.clock.monotonicMs());
  }

  /** Datagram payload put on the wire so far, on one interface. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  get memberCount(): number {
    return this.#members.size;
  }

  add(member: SessionMember, wanted: Ranges): void {
    const { sessionId, pair } = this.#options;
    this.#members.set(member.computerId, member);
    this.#notReady.add(member.computerId);
    this.#sender.join(member.computerId, wanted, this.#dependencies.clock.monotonicMs());
    const sessionKey = this.#sessionKey.toString("base64");
    member.send({ type: "imaging-session", key: member.taskKey, sessionId, ...pair, sessionKey });
    this.#wake();
  }

  remove(computerId: string): void {
    this.#members.delete(computerId);
    this.#notReady.delete(computerId);
    this.#sender.leave(computerId);
    this.#wake();
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  receive(computerId: string, message: AgentImagingMessage): void {
    const nowMs = this.#dependencies.clock.monotonicMs();
    switch (message.type) {
      case "imaging-ready":
        this.#notReady.delete(computerId);
        break;
      case "imaging-report":
        this.#sender.report(computerId, message.sequence, message.lost, nowMs);
        break;
      case "imaging-missing":
        this.#sender.missing(computerId, message.round, message.chunks, message.blocks, nowMs);
        if (message.chunks.length === 0 && message.blocks.length === 0) {
          this.#leave(computerId, "done");
        }
        break;
      case "imaging-join":
        break;
    }
    this.#wake();
  }

  /** Until every receiver has everything or has left. */
  async run(): Promise<void> {
    const { clock } = this.#dependencies;
    const startedAtMs = clock.monotonicMs();
    while (this.#notReady.size > 0 && clock.monotonicMs() - startedAtMs < readyMsMax && !this.#isStopped) {
      await this.#wait(idleDelayMs * 5);
    }
    this.#judgedAtMs = clock.monotonicMs();
    let askedAtMs = 0;
    while (!this.#isStopped && this.#members.size > 0) {
      const nowMs = clock.monotonicMs();
      this.#judge(nowMs);
      if (this.#sender.isAsking) {
        if (this.#sender.finishRound() === "waiting") {
          if (nowMs - askedAtMs > askAgainMs) {
            this.#askRound();
            askedAtMs = nowMs;
          }
          await this.#wait(idleDelayMs * 10);
        }
        continue;
      }
      const isMore = await this.#sendSome();
      if (!isMore) {
        this.#sender.askRound();
        this.#askRound();
        askedAtMs = clock.monotonicMs();
      }
    }
  }

  /** Also while a chunk waits for room: a receiver that is gone must not hold the others up until it is sent. */
  #judge(nowMs: number): void {
    const elapsedMs = nowMs - this.#judgedAtMs;
    if (elapsedMs > 1000) {
      this.#judgedAtMs = nowMs;
      for (const { receiverId, reason } of this.#sender.judge(nowMs, elapsedMs)) {
        this.#leave(receiverId, reason);
      }
    }
  }

  #askRound(): void {
    const { sessionId } = this.#options;
    for (const member of this.#members.values()) {
      member.send({ type: "imaging-round-end", sessionId, round: this.#sender.round });
    }
  }

  #leave(computerId: string, reason: LeftReason): void {
    if (this.#members.has(computerId)) {
      this.remove(computerId);
      this.#dependencies.onLeft(computerId, reason);
    }
  }

  /** Sends one unit as the pace allows. False when the round has no more. */
  async #sendSome(): Promise<boolean> {
    const unit = this.#sender.next();
    if (unit === null) {
      return false;
    }
    const { manifest, sessionId, blockSizeBytes } = this.#options;
    const chunkHash = manifest.chunks[unit.chunkIndex];
    if (chunkHash === undefined || chunkHash === null) {
      return true;
    }
    const frame = await this.#dependencies.chunks.readFrame(chunkHash);
    const sealed = sealChunk(this.#sessionKey, sessionId, unit.chunkIndex, frame);
    const blockCount = Math.ceil(sealed.byteLength / blockSizeBytes);
    const blocks = unit.blocks === "all" ? [...Array(blockCount).keys()] : unit.blocks;
    let budget = 0;
    for (const block of blocks.filter((index) => index < blockCount)) {
      while (budget <= 0 && !this.#isStopped && this.#members.size > 0) {
        budget = this.#sender.budget(this.#dependencies.clock.monotonicMs());
        if (budget <= 0) {
          await this.#wait(idleDelayMs);
          this.#judge(this.#dependencies.clock.monotonicMs());
        }
      }
      if (this.#isStopped || this.#members.size === 0) {
        return true;
      }
      this.#sendBlock(unit.chunkIndex, block, sealed);
      budget -= 1;
    }
    // Reports and other work get their turn between chunks.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return true;
  }

  #sendBlock(chunkIndex: number, blockIndex: number, sealed: Uint8Array): void {
    const { sessionId, blockSizeBytes, pair } = this.#options;
    const from = blockIndex * blockSizeBytes;
    const datagram = encodeDataPacket({
      sessionId,
      sequence: this.#sender.takeSequence(),
      chunkIndex,
      frameSizeBytes: sealed.byteLength,
      blockIndex,
      blockSizeBytes,
      block: sealed.subarray(from, from + blockSizeBytes),
    });
    this.#sentBytes += datagram.byteLength;
    for (const socket of this.#dependencies.sockets) {
      socket.send(datagram, { address: pair.group, port: pair.port });
    }
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#dependencies.clock.after(delayMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
