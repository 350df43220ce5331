import type { TLSSocket } from "node:tls";
import type { Clock } from "#platform/clock.ts";
import { encodeBytesFrame, encodeFrame } from "#wire/control/frame.ts";
import type { RemoteKind } from "#wire/control/management-messages.ts";
import { decodeRemoteNews, type RemoteNews, type RemoteOrder } from "#wire/control/remote-messages.ts";
import type { TerminalRecording } from "./terminal-recording.ts";

/** One operator's window on a session. */
export type RemoteViewer = {
  readonly bytes: (bytes: Uint8Array) => void;
  readonly news: (news: RemoteNews) => void;
  /** Once, and nothing after it. */
  readonly ended: (reason: string) => void;
  /** What it was given and has not taken yet. */
  readonly waitingBytes: () => number;
  /** Stop and go on giving us what the operator sends. */
  readonly pause: () => void;
  readonly resume: () => void;
};

export type RemoteSessionFacts = {
  readonly id: string;
  readonly computerId: string;
  readonly kind: RemoteKind;
  readonly operator: string;
  /** The server's port that the computer has connected to. */
  readonly port: number;
  readonly startedAtMs: number;
};

/** A slower reader than this makes the computer wait. */
const waitingBytesMax = 1 << 20;
/** One that stays slow so long is cut off. */
const slownessMsMax = 15_000;
const slownessPollMs = 50;
/** What a newcomer to a terminal sees of before; of others, what came before its one viewer did. */
const backlogBytesMax = 64 << 10;
const viewerCountMax = 16;

/** One remote session: the computer on one side, its operators on the other. What the computer says is data. */
export class RemoteSession {
  readonly facts: RemoteSessionFacts;
  readonly #clock: Clock;
  readonly #recording: TerminalRecording | null;
  readonly #onEnd: (reason: string) => void;
  /** BOUNDED by `viewerCountMax`. */
  readonly #viewers = new Set<RemoteViewer>();
  #backlog: Buffer = Buffer.alloc(0);
  #socket: TLSSocket | null = null;
  #hasEnded = false;
  #exitCode: number | null | undefined;
  #cancelPoll: () => void = () => undefined;

  constructor(
    facts: RemoteSessionFacts,
    given: {
      readonly clock: Clock;
      readonly recording: TerminalRecording | null;
      readonly onEnd: (reason: string) => void;
    },
  ) {
    this.facts = facts;
    this.#clock = given.clock;
    this.#recording = given.recording;
    this.#onEnd = given.onEnd;
  }

  get isRecorded(): boolean {
    return this.#recording !== null;
  }

  get viewerCount(): number {
    return this.#viewers.size;
  }

  /** The computer's connection. Each frame that comes on it goes to `receive`. */
  connect(socket: TLSSocket): void {
    this.#socket = socket;
    socket.setNoDelay(true);
    // A computer that lost its power says nothing; TCP notices.
    socket.setKeepAlive(true, 30_000);
    socket.on("drain", () => this.#viewers.forEach((viewer) => viewer.resume()));
    socket.once("close", () => {
      const { kind } = this.facts;
      const isOver = this.#exitCode !== undefined;
      this.end(isOver ? `the ${kind} session is over` : "the computer has ended the connection");
    });
  }

  /** A frame of the computer. @throws WireError `bad-value` */
  receive(value: unknown): void {
    if (!(value instanceof Uint8Array)) {
      const news = decodeRemoteNews(value);
      if (news.type === "exited") {
        this.#exitCode = news.exitCode;
      }
      this.#viewers.forEach((viewer) => viewer.news(news));
      return;
    }
    if (this.facts.kind === "terminal") {
      this.#backlog = Buffer.concat([this.#backlog, value]).subarray(-backlogBytesMax);
      this.#recording?.output(value, this.#clock.epochMs());
    } else if (this.#viewers.size === 0) {
      this.#backlog = Buffer.concat([this.#backlog, value]).subarray(-backlogBytesMax);
    }
    this.#viewers.forEach((viewer) => viewer.bytes(value));
    this.#waitForSlow();
  }

  /** False when there is no room for another. */
  attach(viewer: RemoteViewer): boolean {
    if (this.#viewers.size >= viewerCountMax || this.#hasEnded) {
      return false;
    }
    if (this.#backlog.byteLength > 0) {
      viewer.bytes(this.#backlog);
    }
    if (this.facts.kind !== "terminal") {
      this.#backlog = Buffer.alloc(0);
    }
    this.#viewers.add(viewer);
    return true;
  }

  /** The last one out ends the session. */
  detach(viewer: RemoteViewer): void {
    if (this.#viewers.delete(viewer) && this.#viewers.size === 0) {
      this.end("the operator has gone");
    }
  }

  order(order: RemoteOrder): void {
    if (order.type === "resize") {
      this.#recording?.resize(order.columns, order.rows, this.#clock.epochMs());
    }
    this.#socket?.write(encodeFrame(order));
  }

  /** What is typed, or a piece of a file. */
  input(bytes: Uint8Array, from: RemoteViewer): void {
    this.#socket?.write(encodeBytesFrame(bytes));
    if ((this.#socket?.writableLength ?? 0) > waitingBytesMax) {
      from.pause();
    }
  }

  end(reason: string): void {
    if (this.#hasEnded) {
      return;
    }
    this.#hasEnded = true;
    this.#cancelPoll();
    this.#recording?.end();
    this.#socket?.destroy();
    const viewers = [...this.#viewers];
    this.#viewers.clear();
    viewers.forEach((viewer) => viewer.ended(reason));
    this.#onEnd(reason);
  }

  /** The computer waits while an operator's line is full; an operator who stays behind is cut off. */
  #waitForSlow(): void {
    const isBehind = (viewer: RemoteViewer): boolean => viewer.waitingBytes() > waitingBytesMax;
    if (![...this.#viewers].some(isBehind)) {
      return;
    }
    this.#socket?.pause();
    this.#cancelPoll();
    const sinceMs = this.#clock.monotonicMs();
    const poll = (): void => {
      const behind = [...this.#viewers].filter(isBehind);
      if (behind.length > 0 && this.#clock.monotonicMs() - sinceMs < slownessMsMax) {
        this.#cancelPoll = this.#clock.after(slownessPollMs, poll);
        return;
      }
      for (const viewer of behind) {
        viewer.ended("this window reads too slowly; open it again");
        this.detach(viewer);
      }
      this.#socket?.resume();
    };
    this.#cancelPoll = this.#clock.after(slownessPollMs, poll);
  }
}
