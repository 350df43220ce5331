import type { RemoteNewsMessage, RemoteOrderMessage } from "#api/remote-api.ts";
import { readProof } from "../../api/proof.ts";
import { text } from "../../text/text.ts";

export type FileEntry = Extract<RemoteNewsMessage, { type: "entries" }>["entries"][number];

/** What a browser can hold and hash at one time. */
export const fileSizeBytesMax = 256 << 20;
const pieceSizeBytes = 64 << 10;

async function sha256(bytes: BufferSource): Promise<string> {
  return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** The files of one computer: one question at a time, each answered or refused with a reason. */
export class FileSession {
  readonly #socket: WebSocket;
  /** What came and nobody has asked for. BOUNDED by one answer, since one question is open at a time. */
  #arrived: (RemoteNewsMessage | ArrayBuffer)[] = [];
  #waiting: {
    resolve: (news: RemoteNewsMessage | ArrayBuffer) => void;
    reject: (error: Error) => void;
  } | null = null;
  #endedBy: string | null = null;

  constructor(computerId: string) {
    this.#socket = new WebSocket(
      `wss://${location.host}/api/v1/computers/${encodeURIComponent(computerId)}/files`,
      ["portolan.v1", `portolan.proof.${readProof() ?? ""}`],
    );
    this.#socket.binaryType = "arraybuffer";
    this.#socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) =>
      this.#receive(typeof data === "string" ? (JSON.parse(data) as RemoteNewsMessage) : data),
    );
    this.#socket.addEventListener("close", () => this.#end(text.files.ended));
  }

  close(): void {
    this.#socket.close();
  }

  /** The first message: the session stands. @throws Error */
  async opened(): Promise<void> {
    await this.#expect("opened");
  }

  /** @throws Error with the computer's reason */
  async list(path: string): Promise<readonly FileEntry[]> {
    this.#order({ type: "list", path });
    return (await this.#expect("entries")).entries;
  }

  /** The whole file, as it was sent. @throws Error */
  async get(path: string): Promise<Blob> {
    this.#order({ type: "get", path });
    const { sizeBytes } = await this.#expect("content");
    const pieces: ArrayBuffer[] = [];
    for (;;) {
      const next = await this.#next();
      if (next instanceof ArrayBuffer) {
        pieces.push(next);
        continue;
      }
      const whole = new Blob(pieces);
      if (next.type !== "end") {
        throw new Error("reason" in next ? next.reason : text.files.broken(path));
      }
      if (whole.size !== sizeBytes || next.sha256 !== (await sha256(await whole.arrayBuffer()))) {
        throw new Error(text.files.broken(path));
      }
      return whole;
    }
  }

  /** It is there whole, or not at all. @throws Error */
  async put(path: string, file: Blob): Promise<void> {
    const bytes = await file.arrayBuffer();
    this.#order({ type: "put", path, sizeBytes: bytes.byteLength });
    for (let at = 0; at < bytes.byteLength; at += pieceSizeBytes) {
      this.#socket.send(bytes.slice(at, at + pieceSizeBytes));
      while (this.#socket.bufferedAmount > 8 * pieceSizeBytes && this.#endedBy === null) {
        await new Promise((resolve) => window.setTimeout(resolve, 20));
      }
    }
    this.#order({ type: "end", sha256: await sha256(bytes) });
    await this.#expect("stored");
  }

  #order(order: RemoteOrderMessage): void {
    this.#socket.send(JSON.stringify(order));
  }

  async #expect<Type extends RemoteNewsMessage["type"]>(
    type: Type,
  ): Promise<Extract<RemoteNewsMessage, { type: Type }>> {
    const next = await this.#next();
    if (next instanceof ArrayBuffer || next.type !== type) {
      throw new Error("reason" in next ? next.reason : text.files.ended);
    }
    // The comparison of a type parameter does not narrow a union.
    return next as Extract<RemoteNewsMessage, { type: Type }>;
  }

  #next(): Promise<RemoteNewsMessage | ArrayBuffer> {
    const [first, ...rest] = this.#arrived;
    if (first !== undefined) {
      this.#arrived = rest;
      return Promise.resolve(first);
    }
    return this.#endedBy === null
      ? new Promise((resolve, reject) => {
          this.#waiting = { resolve, reject };
        })
      : Promise.reject(new Error(this.#endedBy));
  }

  #receive(news: RemoteNewsMessage | ArrayBuffer): void {
    if (this.#waiting === null) {
      this.#arrived.push(news);
    } else {
      const { resolve } = this.#waiting;
      this.#waiting = null;
      resolve(news);
    }
  }

  #end(reason: string): void {
    this.#endedBy = reason;
    this.#waiting?.reject(new Error(reason));
    this.#waiting = null;
  }
}
