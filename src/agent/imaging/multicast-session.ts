import { MulticastReceiver } from "#engine/multicast/receiver.ts";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import { openChunk } from "#platform/chunk-seal.ts";
import type { UdpSocket } from "#platform/network.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import type { ServerImagingMessage } from "#wire/control/imaging-messages.ts";
import { decodeDataPacket } from "#wire/multicast/data-packet.ts";
import type { TaskContext } from "../task.ts";

type SessionOffer = Extract<ServerImagingMessage, { type: "imaging-session" }>;

/** Sealed chunks waiting to be written; beyond it the sender is not told that more has arrived, and waits. */
const queueBytesMax = 24 << 20;
const reportPacketCount = 48;
const reportDelayMs = 60;

/** This computer's side of one session: takes datagrams, hands on chunks, tells the sender how far it is. */
export class MulticastSession {
  readonly #offer: SessionOffer;
  readonly #context: TaskContext;
  readonly #receiver: MulticastReceiver;
  readonly #key: Buffer;
  readonly #socket: UdpSocket;
  readonly #write: (index: number, frame: Uint8Array) => Promise<boolean>;
  readonly #reportTimer: NodeJS.Timeout;
  #queueBytes = 0;
  #work: Promise<void> = Promise.resolve();
  #unreportedCount = 0;
  #packetCount = 0;
  /** Datagrams that were not ours, malformed or forged. */
  #refusedCount = 0;

  private constructor(
    offer: SessionOffer,
    context: TaskContext,
    wanted: readonly number[],
    socket: UdpSocket,
    write: (index: number, frame: Uint8Array) => Promise<boolean>,
  ) {
    this.#offer = offer;
    this.#context = context;
    this.#receiver = new MulticastReceiver(wanted);
    this.#key = Buffer.from(offer.sessionKey, "base64");
    this.#socket = socket;
    this.#write = write;
    socket.onDatagram(({ bytes }) => this.#receive(bytes));
    socket.onError((error) => context.say(`multicast: ${error.message}`));
    this.#reportTimer = setInterval(() => this.#report(), reportDelayMs);
  }

  /** Joins the group on the interface that leads to the server. */
  static async join(
    offer: SessionOffer,
    context: TaskContext,
    wanted: readonly number[],
    write: (index: number, frame: Uint8Array) => Promise<boolean>,
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
    const socket = await context.network.openUdp(grant, { receiveBufferBytes: 16 << 20 });
    const session = new MulticastSession(offer, context, wanted, socket, write);
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

  /** The sender has sent its round: says what is still missing once all that arrived is written. */
  async answerRound(round: number): Promise<{ readonly wantedCount: number }> {
    // Datagrams of this round may still lie in the socket's buffer.
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    await this.#work;
    const { chunks, blocks } = this.#receiver.missing();
    const { sessionId } = this.#offer;
    this.#context.send({ type: "imaging-missing", sessionId, round, chunks, blocks: blocks.slice(0, 64) });
    return { wantedCount: this.#receiver.wantedCount };
  }

  async close(): Promise<void> {
    clearInterval(this.#reportTimer);
    await this.#socket.close();
    await this.#work;
  }

  #receive(bytes: Uint8Array): void {
    try {
      const packet = decodeDataPacket(bytes);
      if (packet.sessionId !== this.#offer.sessionId) {
        this.#refusedCount += 1;
        return;
      }
      this.#packetCount += 1;
      const arrived = this.#receiver.receive(packet);
      if (arrived !== null) {
        this.#queue(arrived.chunkIndex, arrived.frame);
      }
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
      this.#refusedCount += 1;
      return;
    }
    this.#unreportedCount += 1;
    if (this.#unreportedCount >= reportPacketCount) {
      this.#report();
    }
  }

  #queue(chunkIndex: number, sealed: Uint8Array): void {
    this.#queueBytes += sealed.byteLength;
    this.#work = this.#work.then(async () => {
      const frame = openChunk(this.#key, this.#offer.sessionId, chunkIndex, sealed);
      if (frame !== null && (await this.#write(chunkIndex, frame))) {
        this.#receiver.accept(chunkIndex);
      } else {
        this.#refusedCount += 1;
      }
      this.#queueBytes -= sealed.byteLength;
    });
  }

  #report(): void {
    if (this.#queueBytes > queueBytesMax) {
      return;
    }
    this.#unreportedCount = 0;
    const { highestSequence, lostCount } = this.#receiver;
    const { sessionId } = this.#offer;
    this.#context.send({ type: "imaging-report", sessionId, sequence: highestSequence, lost: lostCount });
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
