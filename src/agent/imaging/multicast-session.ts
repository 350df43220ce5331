import { type ArrivedChunk, MulticastReceiver } from "#engine/multicast/receiver.ts";
import type { RoundEnd } from "#engine/multicast/sender.ts";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import { openChunk } from "#platform/chunk-seal.ts";
import { type Clock, systemClock } from "#platform/clock.ts";
import type { UdpSocket } from "#platform/network.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { fromRanges, type ServerImagingMessage } from "#wire/control/imaging-messages.ts";
import {
  type DataPacket,
  dataHeaderSizeBytes,
  decodeDataPacket,
  frameSizeBytesMax,
} from "#wire/multicast/data-packet.ts";
import type { TaskContext } from "../task.ts";

type SessionOffer = Extract<ServerImagingMessage, { type: "imaging-session" }>;

/** Sealed chunks waiting to be written; beyond it the sender is not told that more has arrived, and waits. */
const queueBytesMax = 24 << 20;
/** A full window of datagrams, each of which the kernel counts as more than its size. */
const receiveBufferBytes = 32 << 20;
/** Chunks being decrypted, decompressed, hashed and written at one time. */
const workerCountMax = 4;
/** Indices beyond it are not of any manifest. */
const chunkCountMax = 1 << 26;
const reportPacketCount = 48;
/** Between reports for datagrams that came, so that a fast link is not answered with a message for each. */
const reportGapMs = 2;
const reportDelayMs = 20;
/** Datagrams sent before a question was put may still be on their way. */
const answerDelayMsMax = 50;
const answerStepMs = 5;
/** Chunks spoiled by somebody else's datagrams. By accident there is none; with more, multicast may never come to an end. */
const spoiledCountMax = 32;
/** After a first round without a datagram: the group may have just been joined on the switch. */
const firstPacketMsMax = 1000;

export type SessionHandlers = {
  /** Decompresses, checks and writes one chunk's frame; false when it is not what the manifest says. */
  readonly write: (index: number, frame: Uint8Array) => Promise<boolean>;
  /** Called once: everything has arrived, or writing failed. */
  readonly onEnd: (error: Error | null) => void;
};

/** This computer's side of one session: takes datagrams, hands on chunks, tells the sender how far it is. */
export class MulticastSession {
  readonly #offer: SessionOffer;
  readonly #context: TaskContext;
  readonly #receiver: MulticastReceiver;
  readonly #key: Buffer;
  readonly #socket: UdpSocket;
  readonly #handlers: SessionHandlers;
  readonly #clock: Clock;
  #cancelReport: () => void = () => undefined;
  /** Chunks that no worker has taken. BOUNDED by `queueBytesMax` and what is in flight. */
  readonly #queue: ArrivedChunk[] = [];
  /** What workers decrypt into, for use again. BOUNDED by `workerCountMax`. */
  readonly #spare: Uint8Array[] = [];
  #queueBytes = 0;
  #workerCount = 0;
  #hasEnded = false;
  /** Called when a chunk is settled. BOUNDED by the question being answered. */
  #onSettled: () => void = () => undefined;
  /** As reported last. */
  #progress = { sequence: 0, lost: 0 };
  #unreportedCount = 0;
  #reportedAtMs = 0;
  #packetCount = 0;
  /** Datagrams that were not ours, malformed or forged. */
  #refusedCount = 0;

  private constructor(
    offer: SessionOffer,
    context: TaskContext,
    wanted: readonly number[],
    socket: UdpSocket,
    handlers: SessionHandlers,
    clock: Clock,
  ) {
    this.#offer = offer;
    this.#context = context;
    this.#receiver = new MulticastReceiver(wanted);
    this.#key = Buffer.from(offer.sessionKey, "base64");
    this.#socket = socket;
    this.#handlers = handlers;
    socket.onDatagram(({ bytes, sourceAddress }) => {
      // The sender's socket is bound to the address that the control connection leads to.
      if (sourceAddress === context.serverAddress()) {
        this.#receive(bytes);
      } else {
        this.#refusedCount += 1;
      }
    });
    socket.onError((error) => context.say(`multicast: ${error.message}`));
    this.#clock = clock;
    this.#reportLater();
  }

  /** Joins the group on the interface that leads to the server. */
  static async join(
    offer: SessionOffer,
    context: TaskContext,
    wanted: readonly number[],
    handlers: SessionHandlers,
    clock: Clock = systemClock,
  ): Promise<MulticastSession> {
    const settings = { ...classicSettings, "imaging.groups": [offer.group], "imaging.ports": [offer.port] };
    const grant = grantSocket(findFlow(computeFlows(settings, { consolePort: 8443 }), "imaging.data"), {
      role: "preboot",
      side: "listen",
      interfaceName: interfaceTowards(context),
      localAddress: offer.group,
      localPort: offer.port,
      groups: [offer.group],
    });
    const socket = await context.network.openUdp(grant, { receiveBufferBytes, joined: true });
    const session = new MulticastSession(offer, context, wanted, socket, handlers, clock);
    context.send({ type: "imaging-ready", sessionId: offer.sessionId });
    return session;
  }

  get sessionId(): number {
    return this.#offer.sessionId;
  }

  get packetCount(): number {
    return this.#packetCount;
  }

  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** Somebody forges datagrams of this session all the time. Nothing of it was written, but asking again is no use. */
  get isForged(): boolean {
    return this.#receiver.spoiledCount >= spoiledCountMax;
  }

  /** A round is sent: says what is lacking of it, once all of it that arrived is written or refused. */
  async answerRound(question: RoundEnd): Promise<void> {
    await this.#awaitTail(question.sequence);
    const ofChunks = [...fromRanges(question.chunks, chunkCountMax)];
    while (!this.#hasEnded && ofChunks.some((chunkIndex) => this.#receiver.isChecking(chunkIndex))) {
      await new Promise<void>((resolve) => {
        this.#onSettled = resolve;
      });
    }
    const { chunks, blocks } = this.#receiver.missing(ofChunks);
    const { sessionId } = this.#offer;
    this.#context.send({ type: "imaging-missing", sessionId, round: question.round, chunks, blocks });
  }

  /** What was sent before a question may lie in the socket's buffer, for long where the processor is busy: till it is empty. */
  async #awaitTail(sequence: number): Promise<void> {
    let quietMs = 0;
    while (this.#receiver.highestSequence < sequence && !this.#hasEnded) {
      const packetCount = this.#packetCount;
      if (quietMs >= (packetCount === 0 ? firstPacketMsMax : answerDelayMsMax)) {
        break;
      }
      await this.#pause(answerStepMs);
      quietMs = this.#packetCount === packetCount ? quietMs + answerStepMs : 0;
    }
  }

  async close(): Promise<void> {
    this.#cancelReport();
    this.#hasEnded = true;
    this.#queue.length = 0;
    await this.#socket.close();
    while (this.#workerCount > 0) {
      await this.#pause(1);
    }
  }

  /** One datagram, or several that the system has joined. */
  #receive(bytes: Uint8Array): void {
    const sizeBytes = dataHeaderSizeBytes + this.#offer.blockSizeBytes;
    for (let from = 0; from < bytes.byteLength; from += sizeBytes) {
      this.#receiveOne(bytes.subarray(from, from + sizeBytes));
    }
    const isDue = this.#clock.monotonicMs() - this.#reportedAtMs >= reportGapMs;
    if (this.#unreportedCount >= reportPacketCount && isDue) {
      this.#report();
    }
  }

  #receiveOne(bytes: Uint8Array): void {
    const packet = this.#decode(bytes);
    if (packet === null) {
      this.#refusedCount += 1;
      return;
    }
    this.#packetCount += 1;
    this.#unreportedCount += 1;
    const arrived = this.#receiver.receive(packet);
    if (arrived !== null) {
      this.#queue.push(arrived);
      this.#queueBytes += arrived.frame.byteLength;
      if (this.#workerCount < workerCountMax) {
        this.#work().catch((error: unknown) => {
          this.#end(error instanceof Error ? error : new Error(String(error)));
        });
      }
    }
  }

  #decode(bytes: Uint8Array): DataPacket | null {
    const { sessionId, blockSizeBytes } = this.#offer;
    try {
      const packet = decodeDataPacket(bytes);
      return packet.sessionId === sessionId && packet.blockSizeBytes === blockSizeBytes ? packet : null;
    } catch (error) {
      if (error instanceof WireError) {
        return null;
      }
      throw error;
    }
  }

  /** Settles chunks until none waits. Nothing reaches the disk that is not what the manifest says. */
  async #work(): Promise<void> {
    this.#workerCount += 1;
    const target = this.#spare.pop() ?? new Uint8Array(frameSizeBytesMax);
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        const { chunkIndex, frame: sealed } = next;
        const frame = openChunk(this.#key, this.#offer.sessionId, chunkIndex, sealed, target);
        const isGenuine = frame !== null && (await this.#handlers.write(chunkIndex, frame));
        this.#queueBytes -= sealed.byteLength;
        this.#receiver.settle(chunkIndex, isGenuine);
        this.#refusedCount += isGenuine ? 0 : 1;
        this.#onSettled();
      }
    } finally {
      this.#workerCount -= 1;
      this.#spare.push(target);
    }
    if (this.#receiver.wantedCount === 0) {
      this.#context.send({ type: "imaging-done", sessionId: this.#offer.sessionId });
      this.#end(null);
    }
  }

  #end(error: Error | null): void {
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#cancelReport();
      this.#onSettled();
      this.#handlers.onEnd(error);
    }
  }

  #reportLater(): void {
    this.#cancelReport = this.#clock.after(reportDelayMs, () => {
      this.#report();
      this.#reportLater();
    });
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(delayMs, resolve);
    });
  }

  /** Stands still while too much waits for the disk: that is what slows the sender. Silence would mean that it is dead. */
  #report(): void {
    if (this.#hasEnded) {
      return;
    }
    this.#unreportedCount = 0;
    this.#reportedAtMs = this.#clock.monotonicMs();
    if (this.#queueBytes <= queueBytesMax) {
      this.#progress = { sequence: this.#receiver.highestSequence, lost: this.#receiver.lostCount };
    }
    this.#context.send({ type: "imaging-report", sessionId: this.#offer.sessionId, ...this.#progress });
  }
}

/** The interface whose subnet the server is in, or else the first that is not loopback: its default route. */
function interfaceTowards(context: TaskContext): string | null {
  const server = context.serverAddress();
  const outside = context.network.interfaces().filter((nic) => !nic.isLoopback);
  const toNumber = (address: string): number =>
    address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const near = outside.find((nic) => {
    const size = 2 ** (32 - nic.prefixLength);
    return Math.floor(toNumber(nic.address) / size) === Math.floor(toNumber(server) / size);
  });
  return (near ?? outside[0])?.name ?? null;
}
