import { DiskError } from "#platform/disk.ts";
import type { TransferAccess } from "#wire/control/task-message.ts";
import type { ImagingInbox } from "./imaging-inbox.ts";

/** A broken transfer is gone on with when the server asks again within this time: it was restarted. */
const serverPatienceMs = 120_000;

/** The right to transfers, which a restarted server gives anew. */
export class TransferRight {
  access: TransferAccess;
  readonly #inbox: ImagingInbox;
  readonly #signal: AbortSignal;

  constructor(access: TransferAccess, inbox: ImagingInbox, signal: AbortSignal) {
    this.access = access;
    this.#inbox = inbox;
    this.#signal = signal;
  }

  /**
   * Does the work, and goes on with it under a new right whenever the server that gave the old one went away. What is
   * wrong with the content or with this computer's own disk fails at once.
   */
  async keepTrying<Result>(work: (access: TransferAccess) => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await work(this.access);
      } catch (error) {
        const isFinal = error instanceof ImageError || error instanceof DiskError;
        if (isFinal || !(await this.#renew())) {
          throw error;
        }
      }
    }
  }

  async #renew(): Promise<boolean> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(serverPatienceMs)]);
    for (;;) {
      const message = await this.#inbox.next(signal);
      if (message === null) {
        return false;
      }
      if (message.type === "task-again") {
        this.access = message.transfer;
        return true;
      }
    }
  }
}

/** What the server sent is not the image: asking again would not help. */
export class ImageError extends Error {}
