import { BatchReceiver, type ReceiveHandler } from "./batch-receiver.ts";
import { openEventPoll, readyDescriptors, watchDescriptor } from "./socket-calls.ts";

/* struct epoll_event: events 0, data behind it. Packed on x86-64 alone. epoll_ctl(2) */
const dataAt = process.arch === "x64" ? 4 : 8;
const eventSizeBytes = dataAt + 8;
/** EPOLLIN */
const readable = 1;

const readyCountMax = 64;
/** Timers and other sockets of the process wait no longer for a turn. */
const turnMsMax = 2;

/**
 * Sockets in conversations of question and answer, read together: when the event loop has brought one datagram, whatever
 * came to any of them meanwhile is read by our own calls. The event loop costs several times what an answer does.
 */
export class ReadySockets {
  readonly #poll = openEventPoll();
  readonly #events = Buffer.alloc(readyCountMax * eventSizeBytes);
  readonly #receiver = new BatchReceiver();
  /** Keyed by descriptor. BOUNDED by the open sockets; each is forgotten before it is closed. */
  readonly #handlers = new Map<number, ReceiveHandler>();

  /** @throws SystemCallError */
  watch(fd: number, handler: ReceiveHandler): void {
    if (!this.#handlers.has(fd)) {
      const event = Buffer.alloc(eventSizeBytes);
      event.writeUInt32LE(readable, 0);
      event.writeInt32LE(fd, dataAt);
      watchDescriptor(this.#poll, fd, event);
    }
    this.#handlers.set(fd, handler);
  }

  forget(fd: number): void {
    this.#handlers.delete(fd);
  }

  /** Hands over what waits at all of them, and what comes while that is answered. @throws SystemCallError */
  receive(): void {
    const endsAtMs = performance.now() + turnMsMax;
    do {
      const count = readyDescriptors(this.#poll, this.#events, readyCountMax);
      if (count === 0) {
        return;
      }
      for (let index = 0; index < count; index += 1) {
        const fd = this.#events.readInt32LE(index * eventSizeBytes + dataAt);
        const handler = this.#handlers.get(fd);
        // A handler before may have closed this one.
        if (handler !== undefined) {
          this.#receiver.receive(fd, handler);
        }
      }
    } while (performance.now() < endsAtMs);
  }
}
