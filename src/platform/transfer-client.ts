import type { TLSSocket } from "node:tls";
import type { SocketGrant } from "#plan/socket-grant.ts";
import { encodeFrame } from "#wire/control/frame.ts";
import { stillComing } from "#wire/control/transfer-answer.ts";
import { frameSizeBytesMax } from "#wire/multicast/data-packet.ts";
import { connectPinned, type PinnedSite } from "./pinned-tls.ts";
import type { TcpTarget } from "./tcp.ts";

const manifestSizeBytesMax = 64 << 20;
const answerTimeoutMs = 60_000;
const answerSizeBytesMax = 1 << 20;

/** What the server will not take: trying again would not help. */
export class UploadRefusedError extends Error {
  constructor(reason: string) {
    super(`the server did not take the upload: ${reason.slice(0, 500)}`);
    this.name = "UploadRefusedError";
  }
}

function refuseFailure(answer: unknown): void {
  const failure =
    typeof answer === "object" && answer !== null && "failure" in answer ? answer.failure : null;
  if (typeof failure === "string") {
    throw new UploadRefusedError(failure);
  }
}

/** One ticketed transfer connection: the manifest of an image, and any of its chunks. */
export class TransferClient {
  readonly #socket: TLSSocket;
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;
  #wake: (() => void) | null = null;
  #failure: Error | null = null;
  /** Until the socket takes more, or has ended. */
  #drained: Promise<void> | null = null;
  #onDrain: () => void = () => undefined;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setTimeout(answerTimeoutMs, () =>
      socket.destroy(new Error(`no data within ${answerTimeoutMs} ms`)),
    );
    socket.on("data", (part: Buffer) => {
      this.#chunks.push(part);
      this.#bufferedBytes += part.byteLength;
      this.#wake?.();
    });
    socket.on("drain", () => {
      this.#drained = null;
      this.#onDrain();
    });
    socket.on("error", (error) => {
      this.#failure = error;
    });
    socket.on("close", () => {
      this.#failure ??= new Error("the server ended the transfer");
      this.#wake?.();
      this.#onDrain();
    });
  }

  /** Connects and shows the ticket. @throws PinError | NetworkError */
  static async connect(
    grant: SocketGrant,
    target: TcpTarget,
    site: PinnedSite,
    ticket: string,
  ): Promise<TransferClient> {
    const socket = await connectPinned(grant, target, site);
    socket.write(encodeFrame({ type: "ticket", ticket }));
    return new TransferClient(socket);
  }

  /** The site's signature of the image, JSON text. */
  async readSignature(): Promise<string> {
    this.#socket.write(encodeFrame({ type: "signature" }));
    return (await this.#readSized(answerSizeBytesMax)).toString("utf8");
  }

  async readManifest(): Promise<string> {
    this.#socket.write(encodeFrame({ type: "manifest" }));
    return (await this.#readSized(manifestSizeBytesMax)).toString("utf8");
  }

  /**
   * The zstd frames of these chunks, in order, one at a time: the next is read when this one was taken. One that is still
   * on its way to the server is waited for, as long as the server says so.
   */
  async *readChunks(
    hashes: readonly string[],
  ): AsyncGenerator<{ readonly chunkHash: string; readonly frame: Buffer }> {
    const batchCount = 64;
    for (let from = 0; from < hashes.length; from += batchCount) {
      const batch = hashes.slice(from, from + batchCount);
      this.#socket.write(encodeFrame({ type: "chunks", hashes: batch, toldOfWaiting: true }));
      for (const chunkHash of batch) {
        yield { chunkHash, frame: await this.#readSized(frameSizeBytesMax) };
      }
    }
  }

  /** Of these chunks, those the store has not. At most 1024 at once. */
  async lacking(hashes: readonly string[]): Promise<string[]> {
    this.#socket.write(encodeFrame({ type: "lacking", hashes }));
    const answer = JSON.parse((await this.#readSized(answerSizeBytesMax)).toString("utf8")) as unknown;
    refuseFailure(answer);
    return Array.isArray(answer) ? answer.filter((text) => typeof text === "string") : [];
  }

  /** Sends one chunk as a zstd frame; resolves when the connection takes more. A wrong one ends the connection. */
  async put(chunkHash: string, frame: Uint8Array): Promise<void> {
    await this.#write(encodeFrame({ type: "put", chunkHash, sizeBytes: frame.byteLength }), frame);
  }

  /** Before the first chunk, so that others can have what comes while it comes. @throws UploadRefusedError */
  async announce(manifestText: string): Promise<void> {
    await this.#sendManifest("announce", manifestText);
  }

  /** After the last chunk. @throws UploadRefusedError */
  async complete(manifestText: string): Promise<void> {
    await this.#sendManifest("complete", manifestText);
  }

  async #sendManifest(type: "announce" | "complete", manifestText: string): Promise<void> {
    const manifest = Buffer.from(manifestText);
    const head = encodeFrame({ type, sizeBytes: manifest.byteLength });
    await this.#write(head, manifest);
    refuseFailure(JSON.parse((await this.#readSized(answerSizeBytesMax)).toString("utf8")));
  }

  close(): void {
    this.#socket.destroy();
  }

  /** What belongs together goes in one turn: several writers share this connection. */
  async #write(head: Uint8Array, body: Uint8Array): Promise<void> {
    if (this.#failure !== null) {
      throw this.#failure;
    }
    this.#socket.write(head);
    if (this.#socket.write(body)) {
      return;
    }
    // One promise for all who wait.
    this.#drained ??= new Promise((resolve) => {
      this.#onDrain = resolve;
    });
    await this.#drained;
    if (this.#failure !== null) {
      throw this.#failure;
    }
  }

  async #readSized(sizeBytesMax: number): Promise<Buffer> {
    let sizeBytes = stillComing;
    while (sizeBytes === stillComing) {
      sizeBytes = (await this.#readExactly(4)).readUInt32BE(0);
    }
    if (sizeBytes === 0 || sizeBytes > sizeBytesMax) {
      throw new Error(
        sizeBytes === 0 ? "the server does not have it" : `an answer of ${sizeBytes} bytes is refused`,
      );
    }
    return this.#readExactly(sizeBytes);
  }

  async #readExactly(sizeBytes: number): Promise<Buffer> {
    while (this.#bufferedBytes < sizeBytes) {
      if (this.#failure !== null) {
        throw this.#failure;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const joined =
      this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    const rest = joined.subarray(sizeBytes);
    this.#chunks = rest.byteLength === 0 ? [] : [rest];
    this.#bufferedBytes = rest.byteLength;
    return joined.subarray(0, sizeBytes);
  }
}
