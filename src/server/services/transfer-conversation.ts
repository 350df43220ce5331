import { hash } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { decodeManifest, ManifestError } from "#engine/image/manifest.ts";
import type { Clock } from "#platform/clock.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { FrameReader } from "#wire/control/frame.ts";
import { JsonFields } from "#wire/control/json-fields.ts";
import { stillComing } from "#wire/control/transfer-answer.ts";
import { frameSizeBytesMax } from "#wire/multicast/data-packet.ts";
import { type ChunkHold, type ChunkStore, ChunkStoreFullError } from "../chunk-store.ts";

/** What the holder of a ticket may do. */
export type TransferRight =
  /** Read this manifest and its chunks. */
  | { readonly type: "read"; readonly manifestText: string; readonly chunkHashes: ReadonlySet<string> }
  /** Store chunks, and in the end the manifest that lists them. */
  | {
      readonly type: "upload";
      /** Of content, by the manifest. */
      readonly sizeBytesMax: number;
      /** The manifest comes first, so that others get the content while its chunks come; absent: it may not. */
      readonly onAnnounced?: (manifestText: string) => Promise<void>;
      /** All its chunks are in the store. Durable when it returns; a failure's message goes to the sender. */
      readonly onUploaded: (manifestText: string) => Promise<void>;
    };

export type ConversationDependencies = {
  readonly chunks: ChunkStore;
  readonly clock: Clock;
  /** The site's signature of an image, JSON text. */
  readonly readSignature: (imageId: string) => Promise<string>;
  /** Resolves when so many bytes may be sent. */
  readonly pace: (sizeBytes: number) => Promise<void>;
  readonly count: (reason: string) => void;
  /** The right of a ticket shown on this connection, or `null`. */
  readonly redeem: (ticket: string) => TransferRight | null;
};

const firstFrameMs = 10_000;
const idleMsMax = 120_000;
/** Often enough that a reader's patience of a minute, and ours, begins anew several times. */
const tellWaitingMs = 15_000;
const manifestSizeBytesMax = 64 << 20;
const hashPattern = /^[0-9a-f]{64}$/;
/** Requests that wait behind the one being answered; a peer that sends more without reading is cut off. */
const waitingCountMax = 256;
/** Chunks of one connection that are checked and written at the same time; each is at most 1 MiB. */
const parallelPutCount = 16;

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
  #upload: UploadState | null = null;

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
    if (this.#right.type === "upload" && ["put", "announce", "complete"].includes(type)) {
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
      const { chunks } = this.#dependencies;
      if (this.#right.type === "upload") {
        const hold = chunks.hold();
        this.#upload = { hold, puts: new Set(), failure: null };
        this.#socket.once("close", () => hold.release());
      }
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
      .then(() => this.#answerRequest(right, fields, body))
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

  async #answerRequest(right: TransferRight, fields: JsonFields, body: Uint8Array | null): Promise<void> {
    if (right.type === "read") {
      await answerReader(this.#socket, right, fields, this.#dependencies);
    } else if (this.#upload !== null) {
      await answerUpload(this.#socket, right, { fields, body }, this.#upload, this.#dependencies);
    }
  }
}

/** What one uploading connection has under way. */
type UploadState = {
  readonly hold: ChunkHold;
  /** BOUNDED by `parallelPutCount`. */
  readonly puts: Set<Promise<void>>;
  /** Why nothing more is taken, such as a full disk; told in the next answer. */
  failure: string | null;
};

async function answerReader(
  socket: TLSSocket,
  right: TransferRight & { readonly type: "read" },
  fields: JsonFields,
  { chunks, clock, count, pace, readSignature }: ConversationDependencies,
): Promise<void> {
  const type = fields.choice("type", ["manifest", "signature", "lacking", "chunks"]);
  if (type === "manifest") {
    await writeSized(socket, Buffer.from(right.manifestText));
    return;
  }
  if (type === "signature") {
    await writeSized(socket, Buffer.from(await readSignature(hash("sha256", right.manifestText))));
    return;
  }
  const hashes = fields.texts("hashes", 1024, 64);
  if (type === "lacking") {
    const isThere = await Promise.all(
      hashes.map(async (chunkHash) => right.chunkHashes.has(chunkHash) && (await chunks.has(chunkHash))),
    );
    await writeSized(socket, Buffer.from(JSON.stringify(hashes.filter((_, index) => !isThere[index]))));
    return;
  }
  const isToldOfWaiting = fields.raw("toldOfWaiting") === true;
  for (const chunkHash of hashes) {
    const isCovered = right.chunkHashes.has(chunkHash);
    count(isCovered ? "chunk" : "chunk-not-covered");
    const endTelling = isCovered && isToldOfWaiting ? tellOfWaiting(socket, clock) : () => undefined;
    const frame = isCovered ? await chunks.readFrame(chunkHash).finally(() => endTelling()) : Buffer.alloc(0);
    await pace(frame.byteLength);
    await writeSized(socket, frame);
  }
}

/** Says every now and then that an answer is still to come. @returns what ends it */
function tellOfWaiting(socket: TLSSocket, clock: Clock): () => void {
  const tell = (): void => {
    if (!socket.destroyed) {
      const mark = Buffer.alloc(4);
      mark.writeUInt32BE(stillComing);
      socket.write(mark);
      cancel = clock.after(tellWaitingMs, tell);
    }
  };
  let cancel = clock.after(tellWaitingMs, tell);
  return () => cancel();
}

async function answerUpload(
  socket: TLSSocket,
  right: TransferRight & { readonly type: "upload" },
  { fields, body }: { readonly fields: JsonFields; readonly body: Uint8Array | null },
  upload: UploadState,
  { chunks, count }: ConversationDependencies,
): Promise<void> {
  const type = fields.choice("type", ["announce", "lacking", "put", "complete"]);
  switch (type) {
    case "announce": {
      const failure = await refusalOf(right, body, right.onAnnounced ?? refuseAnnouncement);
      count(failure === null ? "announced" : "refused-announcement");
      await writeSized(socket, Buffer.from(JSON.stringify({ failure })));
      break;
    }
    case "lacking": {
      if (upload.failure !== null) {
        await writeSized(socket, Buffer.from(JSON.stringify({ failure: upload.failure })));
        break;
      }
      const hashes = fields.texts("hashes", 1024, 64).filter((text) => hashPattern.test(text));
      for (const chunkHash of hashes) {
        // Held before it is looked for: it could be pruned between the answer and the manifest.
        upload.hold.add(chunkHash);
      }
      const isThere = await Promise.all(hashes.map((chunkHash) => chunks.has(chunkHash)));
      await writeSized(socket, Buffer.from(JSON.stringify(hashes.filter((_, index) => !isThere[index]))));
      break;
    }
    case "put": {
      while (upload.puts.size >= parallelPutCount) {
        await Promise.race(upload.puts);
      }
      const chunkHash = fields.text("chunkHash", 64);
      upload.hold.add(chunkHash);
      const put = storeChunk(chunkHash, body, upload, { chunks, count });
      upload.puts.add(put);
      put.finally(() => upload.puts.delete(put)).catch(() => undefined);
      break;
    }
    case "complete": {
      await Promise.all(upload.puts);
      const accept = (manifestText: string): Promise<void> => completeUpload(right, manifestText, chunks);
      const failure = upload.failure ?? (await refusalOf(right, body, accept));
      count(failure === null ? "uploaded" : "refused-upload");
      await writeSized(socket, Buffer.from(JSON.stringify({ failure })));
      break;
    }
  }
}

/** Never rejects: what went wrong is told in the next answer. */
async function storeChunk(
  chunkHash: string,
  frame: Uint8Array | null,
  upload: UploadState,
  { chunks, count }: Pick<ConversationDependencies, "chunks" | "count">,
): Promise<void> {
  try {
    const isStored = frame !== null && (await chunks.putFrame(chunkHash, frame));
    count(isStored ? "stored" : "refused-chunk");
    if (!isStored) {
      upload.failure ??= `chunk ${chunkHash} is not what its name says`;
    }
  } catch (error) {
    count("not-stored");
    const why = error instanceof Error ? error.message : String(error);
    upload.failure ??= error instanceof ChunkStoreFullError ? why : `a chunk could not be stored: ${why}`;
  }
}

/** Does with a manifest what it was sent for. @returns why it is not taken, or `null` */
async function refusalOf(
  right: TransferRight & { readonly type: "upload" },
  body: Uint8Array | null,
  accept: (manifestText: string) => Promise<void>,
): Promise<string | null> {
  try {
    const manifestText = Buffer.from(body ?? []).toString("utf8");
    const { sizeBytes } = decodeManifest(manifestText);
    if (sizeBytes > right.sizeBytesMax) {
      return `${sizeBytes} bytes are more than the ${right.sizeBytesMax} that this task may store`;
    }
    await accept(manifestText);
    return null;
  } catch (error) {
    if (error instanceof ManifestError || (error instanceof Error && "code" in error)) {
      return error.message;
    }
    throw error;
  }
}

function refuseAnnouncement(): Promise<void> {
  return Promise.reject(new ManifestError("this task does not send its manifest first"));
}

/** @throws ManifestError when not all of it was sent */
async function completeUpload(
  right: TransferRight & { readonly type: "upload" },
  manifestText: string,
  chunks: ChunkStore,
): Promise<void> {
  for (const chunkHash of decodeManifest(manifestText).chunks) {
    if (chunkHash !== null && !(await chunks.has(chunkHash))) {
      throw new ManifestError(`chunk ${chunkHash} was not sent`);
    }
  }
  await right.onUploaded(manifestText);
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
