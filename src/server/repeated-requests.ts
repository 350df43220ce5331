import { createHash } from "node:crypto";
import type { RepeatStore } from "#store/repeat-store.ts";
import { ApiError } from "./api-error.ts";

/** So long a request with a key may be sent again. */
const keptMs = 24 * 3_600_000;
const answerSizeBytesMax = 1 << 20;

/** The header of the key. draft-ietf-httpapi-idempotency-key-header */
export const repeatHeader = "idempotency-key";

export type KeyedRequest = {
  readonly key: string;
  /** Whose key it is: two callers may choose the same. */
  readonly caller: string;
  /** Everything that says what is to be done. */
  readonly request: unknown;
};

export type RepeatedAnswer = { readonly answer: unknown; readonly isRepeated: boolean };

function hash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** Does what was asked for with a key once, however often it is sent; the later ones get the answer of the first. */
export class RepeatedRequests {
  readonly #store: RepeatStore;
  readonly #epochMs: () => number;

  constructor(store: RepeatStore, epochMs: () => number) {
    this.#store = store;
    this.#epochMs = epochMs;
  }

  /**
   * The key is taken before the work begins. Work that fails gives it back; work that ended with the server keeps it,
   * because nobody knows how far it came.
   *
   * @throws ApiError 400 | 409 | 422, and what `work` throws
   */
  async once({ key, caller, request }: KeyedRequest, work: () => Promise<unknown>): Promise<RepeatedAnswer> {
    if (!/^[\x21-\x7e]{1,128}$/.test(key)) {
      throw new ApiError(400, "bad-idempotency-key", "an Idempotency-Key is 1 to 128 visible characters");
    }
    const nowMs = Math.round(this.#epochMs());
    const entry = { keyHash: hash([caller, key]), requestHash: hash(request), answer: null, atMs: nowMs };
    const holder = await this.#store.claim(entry, nowMs - keptMs);
    if (holder === null) {
      return { answer: await this.#begin(entry.keyHash, work), isRepeated: false };
    }
    if (holder.requestHash !== entry.requestHash) {
      throw new ApiError(
        422,
        "idempotency-key-reused",
        "another request was sent with this Idempotency-Key; choose a new one for each",
      );
    }
    if (holder.answer === null) {
      throw new ApiError(
        409,
        "in-progress",
        "this request is being done, or the server was ended while it was; look at what it has changed",
        2000,
      );
    }
    return { answer: JSON.parse(holder.answer), isRepeated: true };
  }

  async #begin(keyHash: string, work: () => Promise<unknown>): Promise<unknown> {
    let answer: unknown;
    try {
      answer = await work();
    } catch (error) {
      await this.#store.release(keyHash);
      throw error;
    }
    const text = JSON.stringify(answer);
    await this.#store.keepAnswer(
      keyHash,
      Buffer.byteLength(text) > answerSizeBytesMax ? '{"ok":true}' : text,
    );
    return answer;
  }
}
