import type { TLSSocket } from "node:tls";
import { WireError } from "#wire/bytes/wire-error.ts";
import { encodeBytesFrame, encodeFrame, FrameReader, frameSizeBytesMax } from "#wire/control/frame.ts";
import { decodeRemoteOrder, type RemoteNews, type RemoteOrder } from "#wire/control/remote-messages.ts";

/** A reader that waits this far behind makes the writer wait. */
const waitingBytesMax = 1 << 20;

export type RemoteHandlers = {
  readonly order: (order: RemoteOrder) => void;
  readonly bytes: (bytes: Uint8Array) => void;
  readonly close: () => void;
};

/** The agent's end of one remote session's connection. */
export class RemoteConnection {
  readonly #socket: TLSSocket;

  constructor(socket: TLSSocket, ticket: string) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.write(encodeFrame({ type: "remote-join", ticket }));
  }

  /** Once, before the first await after opening. */
  handle(on: RemoteHandlers): void {
    const reader = new FrameReader();
    reader.takesBytes = true;
    reader.sizeBytesMax = frameSizeBytesMax.afterAuthentication;
    this.#socket.on("data", (part: Buffer) => {
      try {
        for (const value of reader.push(part)) {
          if (value instanceof Uint8Array) {
            on.bytes(value);
          } else {
            on.order(decodeRemoteOrder(value));
          }
        }
      } catch (error) {
        if (!(error instanceof WireError)) {
          throw error;
        }
        this.#socket.destroy(error);
      }
    });
    // The end of the connection is the end of the session, whatever the cause.
    this.#socket.on("error", () => this.#socket.destroy());
    this.#socket.once("close", on.close);
  }

  news(news: RemoteNews): void {
    this.#socket.write(encodeFrame(news));
  }

  /** False: wait for `drained` before more is sent. */
  bytes(bytes: Uint8Array): boolean {
    this.#socket.write(encodeBytesFrame(bytes));
    return this.#socket.writableLength < waitingBytesMax;
  }

  drained(): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve) => {
      const settle = (): void => {
        socket.off("drain", settle);
        socket.off("close", settle);
        resolve();
      };
      socket.once("drain", settle);
      socket.once("close", settle);
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }
}
