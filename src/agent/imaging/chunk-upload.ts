import { compressChunk } from "#platform/chunk-frame.ts";
import type { TransferClient } from "#platform/transfer-client.ts";

const questionCountMax = 256;

type Waiting = { readonly chunkHash: string; readonly resolve: (isLacking: boolean) => void };

/** Several workers that send chunks over one connection: their questions travel together. */
export class ChunkUpload {
  readonly #transfer: TransferClient;
  /** Asked about next, gathered while the last question is on its way. BOUNDED by the workers. */
  #waiting: Waiting[] = [];
  #isAsking = false;
  #fail: (error: Error) => void = () => undefined;
  readonly #failed: Promise<never>;
  #sentBytes = 0;

  constructor(transfer: TransferClient) {
    this.#transfer = transfer;
    this.#failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined);
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  isLacking(chunkHash: string): Promise<boolean> {
    const answer = new Promise<boolean>((resolve) => this.#waiting.push({ chunkHash, resolve }));
    if (!this.#isAsking) {
      this.#isAsking = true;
      this.#askAll().catch((error: unknown) =>
        this.#fail(error instanceof Error ? error : new Error(String(error))),
      );
    }
    return Promise.race([answer, this.#failed]);
  }

  /** Resolves when the connection takes more. */
  async send(chunkHash: string, content: Uint8Array): Promise<void> {
    const frame = await compressChunk(content);
    await this.#transfer.put(chunkHash, frame);
    this.#sentBytes += frame.byteLength;
  }

  async #askAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, questionCountMax);
      const lacking = new Set(await this.#transfer.lacking(asked.map(({ chunkHash }) => chunkHash)));
      for (const { chunkHash, resolve } of asked) {
        resolve(lacking.has(chunkHash));
      }
    }
    this.#isAsking = false;
  }
}
