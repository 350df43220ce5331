import { randomBytes } from "node:crypto";
import type { Manifest } from "#engine/image/manifest.ts";
import type { GroupPort } from "#engine/multicast/allocate-pair.ts";
import type { LeftReason } from "#engine/multicast/pace.ts";
import { ParityCode } from "#engine/multicast/parity-code.ts";
import { MulticastSender, type SenderLimits, type SendUnit } from "#engine/multicast/sender.ts";
import { sealChunk } from "#platform/chunk-seal.ts";
import type { Clock } from "#platform/clock.ts";
import type { UdpSocket } from "#platform/network.ts";
import type { AgentImagingMessage, Ranges, ServerImagingMessage } from "#wire/control/imaging-messages.ts";
import { dataHeaderSizeBytes, frameSizeBytesMax } from "#wire/multicast/data-packet.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { PacketBatch } from "./packet-batch.ts";

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
  readonly chunks: Pick<ChunkStore, "readFrame">;
  /** One for each interface with receivers; all get the same datagrams. */
  readonly sockets: readonly UdpSocket[];
  readonly onLeft: (computerId: string, reason: LeftReason) => void;
};

/** A unit and its sealed chunk, read ahead of its turn. */
type ReadyUnit = { readonly unit: SendUnit; readonly sealed: Uint8Array | null };

/** How long receivers have to join their group before data flows. */
const readyMsMax = 5000;
const idleDelayMs = 4;
const judgeEveryMs = 250;
/** Until the socket's buffer has room again. */
const fullDelayMs = 1;

/** Datagrams that one computer should have and those of them that have not come: late ones count as lost. */
export type Receipt = {
  readonly computerId: string;
  readonly expectedCount: number;
  readonly lostCount: number;
};

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
  /** Sealed chunks that may need repair, the one not used for longest first, keyed by chunk. BOUNDED by `openChunkCountMax`. */
  readonly #sealed = new Map<number, Uint8Array>();
  readonly #batch: PacketBatch;
  /** What each has reported last, kept when it has left. BOUNDED by the computers of the job. */
  readonly #receipts = new Map<string, Receipt>();
  #sentBytes = 0;
  #judgedAtMs = 0;
  #isStopped = false;
  #isPaused = false;
  #wake: () => void = () => undefined;

  constructor(options: TransmissionOptions, dependencies: TransmissionDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    const { manifest, limits, sessionId, blockSizeBytes } = options;
    this.#sender = new MulticastSender(manifest.chunks.length, limits, dependencies.clock.monotonicMs());
    this.#batch = new PacketBatch(sessionId, blockSizeBytes, new ParityCode());
  }

  /** Datagram payload put on the wire so far, on one interface. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** What every receiver has reported of the datagrams so far. */
  get receipts(): readonly Receipt[] {
    return [...this.#receipts.values()];
  }

  get memberCount(): number {
    return this.#members.size;
  }

  /** While it is paused nothing is sent and nobody is judged. */
  set isPaused(isPaused: boolean) {
    this.#isPaused = isPaused;
    this.#wake();
  }

  add(member: SessionMember, wanted: Ranges): void {
    const { sessionId, pair, blockSizeBytes } = this.#options;
    this.#members.set(member.computerId, member);
    this.#notReady.add(member.computerId);
    this.#sender.join(member.computerId, wanted, this.#dependencies.clock.monotonicMs());
    const sessionKey = this.#sessionKey.toString("base64");
    member.send({
      type: "imaging-session",
      key: member.taskKey,
      sessionId,
      ...pair,
      blockSizeBytes,
      sessionKey,
    });
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
        this.#receipts.set(computerId, {
          computerId,
          expectedCount: message.sequence,
          lostCount: message.lost,
        });
        this.#sender.report(computerId, message.sequence, message.lost, nowMs);
        break;
      case "imaging-missing":
        this.#sender.missing(computerId, message.round, message.chunks, message.blocks, nowMs);
        break;
      case "imaging-done":
        this.#leave(computerId, "done");
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
    let ready = this.#readAhead();
    while (this.#isGoing) {
      if (ready === null) {
        if (!this.#askRound()) {
          await this.#wait(idleDelayMs);
          this.#judge();
        }
        ready = this.#readAhead();
        continue;
      }
      await this.#settled(ready);
      if (!this.#isGoing) {
        break;
      }
      const { unit, sealed } = await ready;
      ready = this.#readAhead();
      if (sealed !== null) {
        await this.#sendUnit(unit, sealed);
      }
    }
    // A chunk that may never come is not waited for when nobody wants it any more.
    ready?.catch(() => undefined);
  }

  /** Until it is read, or nobody is left to send it to: a chunk may still be on its way into the store. */
  async #settled(ready: Promise<ReadyUnit>): Promise<void> {
    const read = { isSettled: false };
    const settle = (): void => {
      read.isSettled = true;
      this.#wake();
    };
    ready.then(settle, settle);
    while (!read.isSettled && this.#isGoing) {
      await this.#wait(judgeEveryMs);
      this.#judge();
    }
  }

  get #isGoing(): boolean {
    return !this.#isStopped && this.#members.size > 0;
  }

  /** Also while a chunk waits for room: a receiver that is gone must not hold the others up until it is sent. */
  #judge(): void {
    const nowMs = this.#dependencies.clock.monotonicMs();
    const elapsedMs = nowMs - this.#judgedAtMs;
    if (this.#isPaused) {
      this.#judgedAtMs = nowMs;
    } else if (elapsedMs > judgeEveryMs) {
      this.#judgedAtMs = nowMs;
      for (const { receiverId, reason } of this.#sender.judge(nowMs, elapsedMs)) {
        this.#leave(receiverId, reason);
      }
    }
  }

  /** Puts the question of a round's end to all. False when there is none. */
  #askRound(): boolean {
    const end = this.#sender.endRound();
    if (end === null) {
      return false;
    }
    for (const member of this.#members.values()) {
      member.send({ type: "imaging-round-end", sessionId: this.#options.sessionId, ...end });
    }
    return true;
  }

  #leave(computerId: string, reason: LeftReason): void {
    if (this.#members.has(computerId)) {
      this.remove(computerId);
      this.#dependencies.onLeft(computerId, reason);
    }
  }

  /** Takes the next unit of the round and begins to read its chunk. */
  #readAhead(): Promise<ReadyUnit> | null {
    const unit = this.#sender.next(this.#dependencies.clock.monotonicMs());
    return unit === null ? null : this.#seal(unit.chunkIndex).then((sealed) => ({ unit, sealed }));
  }

  async #seal(chunkIndex: number): Promise<Uint8Array | null> {
    const known = this.#sealed.get(chunkIndex);
    if (known !== undefined) {
      this.#sealed.delete(chunkIndex);
      this.#sealed.set(chunkIndex, known);
      return known;
    }
    const chunkHash = this.#options.manifest.chunks[chunkIndex];
    if (chunkHash === undefined || chunkHash === null) {
      return null;
    }
    const frame = await this.#dependencies.chunks.readFrame(chunkHash);
    const target = this.#makeRoom();
    const sealed = sealChunk(this.#sessionKey, this.#options.sessionId, chunkIndex, frame, target);
    this.#sealed.set(chunkIndex, sealed);
    return sealed;
  }

  /** The buffer of the chunk not used for longest, or a new one: fresh memory costs more than the sealing. */
  #makeRoom(): Uint8Array {
    const [oldest] = this.#sealed;
    if (oldest === undefined || this.#sealed.size < this.#options.limits.openChunkCountMax) {
      return new Uint8Array(frameSizeBytesMax);
    }
    this.#sealed.delete(oldest[0]);
    return new Uint8Array(oldest[1].buffer);
  }

  /** Sends one unit as the pace allows. */
  async #sendUnit(unit: SendUnit, sealed: Uint8Array): Promise<void> {
    this.#batch.begin(unit, sealed);
    while (this.#batch.restCount > 0 && this.#isGoing) {
      const nowMs = this.#dependencies.clock.monotonicMs();
      const count = this.#isPaused ? 0 : this.#batch.nextCount(this.#sender.budget(nowMs));
      if (count <= 0) {
        await this.#wait(idleDelayMs);
      } else {
        await this.#put(this.#batch.build(count, this.#sender.takeSequences(count)));
        // Reports and other work get their turn.
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
      this.#judge();
    }
  }

  /** Hands datagrams to every interface, and waits for room where a buffer is full. */
  async #put(batch: Uint8Array): Promise<void> {
    const { blockSizeBytes, pair } = this.#options;
    this.#sentBytes += batch.byteLength;
    const target = { address: pair.group, port: pair.port };
    for (const socket of this.#dependencies.sockets) {
      let rest = batch;
      while (rest.byteLength > 0 && !this.#isStopped) {
        rest = rest.subarray(socket.sendBatch(rest, dataHeaderSizeBytes + blockSizeBytes, target));
        if (rest.byteLength > 0) {
          await this.#wait(fullDelayMs);
        }
      }
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
