import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { FrameCheckAnswer, FrameCheckRequest } from "./frame-check-worker.ts";

const threadCountMax = Math.min(4, Math.max(1, Math.floor(availableParallelism() / 2)));

type Waiting = {
  readonly resolve: (contentHash: string | null) => void;
  readonly reject: (error: Error) => void;
};

/** A thread and the frames it has not answered for, by request. BOUNDED by the callers' parallel checks. */
type Thread = { readonly worker: Worker; readonly waiting: Map<number, Waiting> };

/**
 * Names the content of zstd frames in threads of their own. What a frame decompresses to is garbage at once, a mebibyte
 * each: beside a server's objects, collecting it costs more than the work itself; a thread has next to none to look through.
 */
export class FrameChecker {
  /** BOUNDED by `threadCountMax`; begun when those before are busy, and kept. */
  readonly #threads: Thread[] = [];
  #lastId = 0;

  /**
   * @param frame copied, so that the caller keeps its own
   * @returns SHA-256 of the content, or `null` when it is no frame or holds more than `sizeBytesMax`
   */
  hashContent(frame: Uint8Array, sizeBytesMax: number): Promise<string | null> {
    const thread = this.#choose();
    this.#lastId += 1;
    const request: FrameCheckRequest = { id: this.#lastId, frame: Uint8Array.from(frame), sizeBytesMax };
    return new Promise((resolve, reject) => {
      // A thread without work keeps no program from its end.
      thread.worker.ref();
      thread.waiting.set(request.id, { resolve, reject });
      thread.worker.postMessage(request, [request.frame.buffer as ArrayBuffer]);
    });
  }

  #choose(): Thread {
    const [leastBusy] = this.#threads.toSorted((a, b) => a.waiting.size - b.waiting.size);
    const isEnough = leastBusy?.waiting.size === 0 || this.#threads.length >= threadCountMax;
    return leastBusy !== undefined && isEnough ? leastBusy : this.#begin();
  }

  #begin(): Thread {
    const worker = new Worker(new URL("./frame-check-worker.ts", import.meta.url));
    const thread: Thread = { worker, waiting: new Map() };
    this.#threads.push(thread);
    worker.on("message", ({ id, contentHash }: FrameCheckAnswer) => {
      thread.waiting.get(id)?.resolve(contentHash);
      thread.waiting.delete(id);
      if (thread.waiting.size === 0) {
        worker.unref();
      }
    });
    const end = (error: Error): void => {
      this.#threads.splice(0, this.#threads.length, ...this.#threads.filter((one) => one !== thread));
      thread.waiting.forEach(({ reject }) => reject(error));
      thread.waiting.clear();
    };
    worker.once("error", (error: unknown) => end(error instanceof Error ? error : new Error(String(error))));
    worker.once("exit", (code) => end(new Error(`the thread that checks chunks ended with ${code}`)));
    return thread;
  }
}
