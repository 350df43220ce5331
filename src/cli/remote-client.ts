import type { WebSocket } from "ws";
import { type RemoteNewsMessage, remoteNewsSchema, type RemoteOrderMessage } from "#api/remote-api.ts";
import type { ApiClient } from "./api-client.ts";
import { ApiClientError } from "./api-client.ts";

export type RemoteEvent =
  | { readonly type: "bytes"; readonly bytes: Buffer }
  | { readonly type: "news"; readonly news: RemoteNewsMessage };

const waitingBytesMax = 1 << 20;

/** A remote session as an operator's program sees it: what comes, in order, and what is sent. */
export class RemoteClient {
  readonly #socket: WebSocket;
  /** BOUNDED: the socket is paused while something waits here. */
  readonly #events: RemoteEvent[] = [];
  #wake: () => void = () => undefined;
  #problem: string | null = null;
  #isClosed = false;

  constructor(client: ApiClient, path: string) {
    this.#socket = client.connect(path);
    this.#socket.on("message", (data, isBinary) => {
      const bytes = data as Buffer;
      this.#events.push(
        isBinary
          ? { type: "bytes", bytes }
          : { type: "news", news: remoteNewsSchema.parse(JSON.parse(bytes.toString("utf8"))) },
      );
      this.#socket.pause();
      this.#wake();
    });
    this.#socket.on("error", (error) => {
      this.#problem = error.message;
    });
    this.#socket.on("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** The next of what comes; `null` when nothing more does. @throws ApiClientError when the line broke */
  async next(): Promise<RemoteEvent | null> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) {
        return event;
      }
      if (this.#isClosed) {
        if (this.#problem !== null) {
          throw new ApiClientError("no-session", this.#problem);
        }
        return null;
      }
      if (this.#socket.readyState === this.#socket.OPEN) {
        this.#socket.resume();
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next message that is no content. @throws ApiClientError when the session has ended instead */
  async news(): Promise<RemoteNewsMessage> {
    for (;;) {
      const event = await this.next();
      if (event === null) {
        throw new ApiClientError("no-session", "the session has ended");
      }
      if (event.type === "news") {
        if (event.news.type === "closed" || event.news.type === "error") {
          throw new ApiClientError("remote-failed", event.news.reason);
        }
        return event.news;
      }
    }
  }

  order(order: RemoteOrderMessage): void {
    this.#socket.send(JSON.stringify(order));
  }

  /** Resolves when there is room for more. */
  async bytes(bytes: Uint8Array): Promise<void> {
    this.#socket.send(bytes, { binary: true });
    while (this.#socket.bufferedAmount > waitingBytesMax) {
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  }

  close(): void {
    // A paused socket would not hear the other end's goodbye.
    this.#socket.removeAllListeners("message");
    this.#socket.resume();
    this.#socket.close();
  }
}
