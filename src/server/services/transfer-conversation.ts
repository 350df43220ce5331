import type { TLSSocket } from "node:tls";
import { decodeManifest, ManifestError } from "#engine/image/manifest.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { FrameReader } from "#wire/control/frame.ts";
import { JsonFields } from "#wire/control/json-fields.ts";
import { frameSizeBytesMax } from "#wire/multicast/data-packet.ts";
import type { ChunkStore } from "../chunk-store.ts";

/** What the holder of a ticket may do. */
export type TransferRight =
  /** Read this manifest and its chunks. */
  | { readonly type: "read"; readonly manifestText: string; readonly chunkHashes: ReadonlySet<string> }
  /** Store chunks, and in the end the manifest that lists them. */
  | {
      readonly type: "upload";
      /** Of content, by the manifest. */
      readonly sizeBytesMax: number;
      /** All its chunks are in the store. Durable when it returns; a failure's message goes to the sender. */
      readonly onUploaded: (manifestText: string) => Promise<void>;
    };

export type ConversationDependencies = {
  readonly chunks: ChunkStore;
  /** Resolves when so many bytes may be sent. */
  readonly pace: (sizeBytes: number) => Promise<void>;
  readonly count: (reason: string) => void;
  /** The right of a ticket shown on this connection, or `null`. */
  readonly redeem: (ticket: string) => TransferRight | null;
};

const firstFrameMs = 10_000;
const idleMsMax = 120_000;
const manifestSizeBytesMax = 64 << 20;
const hashPattern = /^[0-9a-f]{64}$/;
/** Requests that wait behind the one being answered; a peer that sends more without reading is cut off. */
const waitingCountMax = 256;

/** Serves one connection: first a ticket, then requests, answered in their order. */
export function serveTransfer(socket: TLSSocket, dependencies: ConversationDependencies): void {
  const { count } = dependencies;
  const reader = new FrameReader();
  const conversation = new Conversation(socket, reader, dependencies);
  const cut = (reason: string): void => {
    count(reason);
    socket.destroy();
  };
  socket.on("error", () => count("broken"));
  socket.setTimeout(firstFrameMs, () => cut("too-slow"));
  socket.on("data", (bytes: Buffer) => {
    try {
      for (const value of reader.push(bytes)) {
        if (socket.destroyed) {
          return;
        }
        conversation.receive(value);
      }
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
      cut("malformed");
    }
  });
}

/** What one connection has said so far. */
class Conversation {
  readonly #socket: TLSSocket;
  readonly #reader: FrameReader;
  readonly #dependencies: ConversationDependencies;
  #right: TransferRight | null = null;
  /** The request whose bytes come next. */
  #announced: JsonFields | null = null;
  #waitingCount = 0;
  #work = Promise.resolve();

  constructor(socket: TLSSocket, reader: FrameReader, dependencies: ConversationDependencies) {
    this.#socket = socket;
    this.#reader = reader;
    this.#dependencies = dependencies;
  }

  receive(value: unknown): void {
    const announced = this.#announced;
    if (value instanceof Uint8Array) {
      this.#announced = null;
      if (announced !== null) {
        this.#answer(announced, value);
      }
      return;
    }
    const fields = new JsonFields(value, "transfer");
    if (this.#right === null) {
      this.#showTicket(fields.text("ticket", 128));
      return;
    }
    const type = fields.text("type", 16);
    if (this.#right.type === "upload" && (type === "put" || type === "complete")) {
      const sizeBytesMax = type === "put" ? frameSizeBytesMax : manifestSizeBytesMax;
      this.#announced = fields;
      this.#reader.expectBytes(fields.integer("sizeBytes", 1, sizeBytesMax));
      return;
    }
    this.#answer(fields, null);
  }

  #showTicket(ticket: string): void {
    this.#right = this.#dependencies.redeem(ticket);
    if (this.#right === null) {
      this.#socket.destroy();
    } else {
      this.#socket.setTimeout(idleMsMax);
    }
  }

  /** After those before it; nothing more is read while requests wait. */
  #answer(fields: JsonFields, body: Uint8Array | null): void {
    const right = this.#right;
    this.#waitingCount += 1;
    if (right === null || this.#waitingCount > waitingCountMax) {
      this.#dependencies.count("too-many-requests");
      this.#socket.destroy();
      return;
    }
    this.#socket.pause();
    this.#work = this.#work
      .then(() => answerRequest(this.#socket, right, fields, body, this.#dependencies))
      .then(() => {
        this.#waitingCount -= 1;
        if (this.#waitingCount === 0) {
          this.#socket.resume();
        }
      });
    this.#work.catch((error: unknown) => {
      this.#dependencies.count("failed");
      this.#socket.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  }
}

async function answerRequest(
  socket: TLSSocket,
  right: TransferRight,
  fields: JsonFields,
  body: Uint8Array | null,
  dependencies: ConversationDependencies,
): Promise<void> {
  if (right.type === "upload") {
    await answerUpload(socket, right, fields, body, dependencies);
    return;
  }
  const { chunks, count, pace } = dependencies;
  const type = fields.choice("type", ["manifest", "chunks"]);
  if (type === "manifest") {
    await writeSized(socket, Buffer.from(right.manifestText));
    return;
  }
  for (const chunkHash of fields.texts("hashes", 1024, 64)) {
    const isCovered = right.chunkHashes.has(chunkHash);
    count(isCovered ? "chunk" : "chunk-not-covered");
    const frame = isCovered ? await chunks.readFrame(chunkHash) : Buffer.alloc(0);
    await pace(frame.byteLength);
    await writeSized(socket, frame);
  }
}

async function answerUpload(
  socket: TLSSocket,
  right: TransferRight & { readonly type: "upload" },
  fields: JsonFields,
  body: Uint8Array | null,
  { chunks, count }: ConversationDependencies,
): Promise<void> {
  const type = fields.choice("type", ["lacking", "put", "complete"]);
  switch (type) {
    case "lacking": {
      const hashes = fields.texts("hashes", 1024, 64).filter((text) => hashPattern.test(text));
      const isThere = await Promise.all(hashes.map((chunkHash) => chunks.has(chunkHash)));
      await writeSized(socket, Buffer.from(JSON.stringify(hashes.filter((_, index) => !isThere[index]))));
      break;
    }
    case "put": {
      const isStored = body !== null && (await chunks.putFrame(fields.text("chunkHash", 64), body));
      count(isStored ? "stored" : "refused-chunk");
      if (!isStored) {
        socket.destroy();
      }
      break;
    }
    case "complete": {
      const failure = await completeUpload(right, Buffer.from(body ?? []).toString("utf8"), chunks);
      count(failure === null ? "uploaded" : "refused-upload");
      await writeSized(socket, Buffer.from(JSON.stringify({ failure })));
      break;
    }
  }
}

/** Why the upload is not taken, or `null`. */
async function completeUpload(
  right: TransferRight & { readonly type: "upload" },
  manifestText: string,
  chunks: ChunkStore,
): Promise<string | null> {
  try {
    const manifest = decodeManifest(manifestText);
    if (manifest.sizeBytes > right.sizeBytesMax) {
      return `${manifest.sizeBytes} bytes are more than the ${right.sizeBytesMax} that this task may store`;
    }
    for (const chunkHash of manifest.chunks) {
      if (chunkHash !== null && !(await chunks.has(chunkHash))) {
        return `chunk ${chunkHash} was not sent`;
      }
    }
    await right.onUploaded(manifestText);
    return null;
  } catch (error) {
    if (error instanceof ManifestError || (error instanceof Error && "code" in error)) {
      return error.message;
    }
    throw error;
  }
}

/** Size and content; waits while the other end reads slower than we send. */
async function writeSized(socket: TLSSocket, content: Uint8Array): Promise<void> {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(content.byteLength);
  socket.write(size);
  if (!socket.write(content)) {
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        socket.off("close", failed);
        resolve();
      };
      const failed = (): void => {
        socket.off("drain", done);
        reject(new Error("the connection ended"));
      };
      socket.once("drain", done);
      socket.once("close", failed);
    });
  }
}
