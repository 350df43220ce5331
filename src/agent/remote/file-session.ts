import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, lstat, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { RemoteEntry, RemoteOrder } from "#wire/control/remote-messages.ts";
import type { RemoteConnection } from "./remote-connection.ts";

const entryCountMax = 10_000;
const pieceSizeBytes = 256 << 10;

type Upload = {
  readonly handle: FileHandle;
  readonly path: string;
  readonly temporaryPath: string;
  readonly sizeBytes: number;
  readonly hash: Hash;
  doneBytes: number;
};

async function readEntry(folder: string, name: string): Promise<RemoteEntry | null> {
  try {
    const facts = await lstat(join(folder, name));
    const kind = facts.isFile()
      ? "file"
      : facts.isDirectory()
        ? "folder"
        : facts.isSymbolicLink()
          ? "link"
          : "other";
    const { size: sizeBytes, mtimeMs, mode } = facts;
    return { name, kind, sizeBytes, modifiedAtMs: Math.max(0, Math.round(mtimeMs)), mode: mode & 0o7777 };
  } catch (error) {
    // Gone between listing and looking.
    if (error instanceof Error && "code" in error) {
      return null;
    }
    throw error;
  }
}

/** Lists, reads and writes files for an operator, one order after the other. */
class FileSession {
  readonly #connection: RemoteConnection;
  #upload: Upload | null = null;
  /** Orders and bytes in the order they came. BOUNDED: the connection is paused while one is worked on. */
  #work: Promise<void> = Promise.resolve();

  constructor(connection: RemoteConnection) {
    this.#connection = connection;
  }

  take(item: RemoteOrder | Uint8Array): void {
    this.#connection.pause();
    this.#work = this.#work
      .then(() => (item instanceof Uint8Array ? this.#write(item) : this.#do(item)))
      .catch((error: unknown) => {
        this.#connection.news({
          type: "error",
          reason: (error instanceof Error ? error.message : String(error)).slice(0, 1000),
        });
        return this.#dropUpload();
      })
      .finally(() => this.#connection.resume());
  }

  async close(): Promise<void> {
    await this.#work;
    await this.#dropUpload();
  }

  async #do(order: RemoteOrder): Promise<void> {
    switch (order.type) {
      case "list":
        await this.#list(resolve("/", order.path));
        break;
      case "get":
        await this.#get(resolve("/", order.path));
        break;
      case "put":
        await this.#put(resolve("/", order.path), order.sizeBytes);
        break;
      case "end":
        await this.#finishUpload(order.sha256);
        break;
      case "resize":
        break;
    }
  }

  async #list(path: string): Promise<void> {
    const names = (await readdir(path)).toSorted();
    const entries = await Promise.all(names.slice(0, entryCountMax).map((name) => readEntry(path, name)));
    this.#connection.news({
      type: "entries",
      path,
      entries: entries.filter((entry) => entry !== null),
    });
  }

  async #get(path: string): Promise<void> {
    const facts = await stat(path);
    if (!facts.isFile()) {
      throw new Error(`${path} is no file`);
    }
    this.#connection.news({ type: "content", path, sizeBytes: facts.size });
    const hash = createHash("sha256");
    // A file that grows meanwhile is sent as long as it was.
    const end = Math.max(0, facts.size - 1);
    const stream = createReadStream(path, { highWaterMark: pieceSizeBytes, end });
    for await (const piece of facts.size === 0 ? [] : stream) {
      const bytes = piece as Buffer;
      hash.update(bytes);
      if (!this.#connection.bytes(bytes)) {
        await this.#connection.drained();
      }
      if (!this.#connection.isOpen) {
        return;
      }
    }
    this.#connection.news({ type: "end", sha256: hash.digest("hex") });
  }

  async #put(path: string, sizeBytes: number): Promise<void> {
    await this.#dropUpload();
    const temporaryPath = `${path}.portolan-${process.pid}`;
    const handle = await open(temporaryPath, "w", 0o600);
    this.#upload = { handle, path, temporaryPath, sizeBytes, hash: createHash("sha256"), doneBytes: 0 };
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const upload = this.#upload;
    if (upload === null) {
      return;
    }
    upload.doneBytes += bytes.byteLength;
    if (upload.doneBytes > upload.sizeBytes) {
      throw new Error(`${upload.path}: more was sent than was announced`);
    }
    upload.hash.update(bytes);
    await upload.handle.write(bytes);
  }

  /** The file is there whole or not at all, with the mode of what it replaces. */
  async #finishUpload(sha256: string): Promise<void> {
    const upload = this.#upload;
    if (upload === null) {
      return;
    }
    const { handle, path, temporaryPath, sizeBytes, doneBytes, hash } = upload;
    if (doneBytes !== sizeBytes || hash.digest("hex") !== sha256) {
      throw new Error(`${path}: what arrived is not what was sent; it was not stored`);
    }
    const replaced = await stat(path).catch(() => null);
    await handle.chmod(replaced === null ? 0o644 : replaced.mode & 0o7777);
    await handle.sync();
    await handle.close();
    await rename(temporaryPath, path);
    this.#upload = null;
    this.#connection.news({ type: "stored", path, sizeBytes });
  }

  async #dropUpload(): Promise<void> {
    const upload = this.#upload;
    this.#upload = null;
    if (upload !== null) {
      // Closed already when its end could not be written.
      await upload.handle.close().catch(() => undefined);
      await rm(upload.temporaryPath, { force: true });
    }
  }
}

/** Until the operator ends the connection. */
export async function serveFiles(connection: RemoteConnection): Promise<void> {
  const session = new FileSession(connection);
  await new Promise<void>((resolved) => {
    connection.handle({
      order: (order) => session.take(order),
      bytes: (bytes) => session.take(bytes),
      close: resolved,
    });
  });
  await session.close();
}
