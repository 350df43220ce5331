import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { RecordingResource } from "#api/remote-api.ts";

/* asciicast, version 2: a header, then `[seconds, "o" | "r", text]` for each event, one JSON value a line. */

const recordingSizeBytesMax = 32 << 20;
const recordingCountMax = 500;
const headerSizeBytesMax = 4096;
const idPattern = /^r-[0-9a-f]{16}$/;

const headerSchema = z.object({
  timestamp: z.number(),
  portolan: z.object({ computerId: z.string(), operator: z.string() }),
});

/** What one terminal shows, with the times. What is typed shows only where the computer echoes it. */
export class TerminalRecording {
  readonly #stream: WriteStream;
  readonly #startedAtMs: number;
  readonly #decoder = new TextDecoder();
  #sizeBytes = 0;

  constructor(
    path: string,
    given: {
      readonly computerId: string;
      readonly operator: string;
      readonly columns: number;
      readonly rows: number;
      readonly nowMs: number;
    },
  ) {
    const { computerId, operator, columns, rows, nowMs } = given;
    this.#startedAtMs = nowMs;
    this.#stream = createWriteStream(path, { mode: 0o600 });
    // A full disk ends the recording, not the session.
    this.#stream.on("error", () => {
      this.#sizeBytes = recordingSizeBytesMax;
    });
    const portolan = { computerId, operator };
    this.#write({ version: 2, width: columns, height: rows, timestamp: Math.round(nowMs / 1000), portolan });
  }

  output(bytes: Uint8Array, nowMs: number): void {
    this.#write([(nowMs - this.#startedAtMs) / 1000, "o", this.#decoder.decode(bytes, { stream: true })]);
  }

  resize(columns: number, rows: number, nowMs: number): void {
    this.#write([(nowMs - this.#startedAtMs) / 1000, "r", `${columns}x${rows}`]);
  }

  end(): void {
    this.#stream.end();
  }

  #write(value: unknown): void {
    const line = `${JSON.stringify(value)}\n`;
    this.#sizeBytes += Buffer.byteLength(line);
    if (this.#sizeBytes <= recordingSizeBytesMax) {
      this.#stream.write(line);
    }
  }
}

/** The recordings of this server: files in a folder of its data, the oldest given up for the newest. */
export class Recordings {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async begin(
    id: string,
    given: ConstructorParameters<typeof TerminalRecording>[1],
  ): Promise<TerminalRecording> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const known = await this.list();
    for (const { id: oldId } of known.slice(recordingCountMax - 1)) {
      await rm(this.#pathOf(oldId), { force: true });
    }
    return new TerminalRecording(this.#pathOf(id), given);
  }

  /** Newest first. */
  async list(): Promise<RecordingResource[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const ids = names.map((name) => name.replace(/\.cast$/, "")).filter((id) => idPattern.test(id));
    const found = await Promise.all(ids.map((id) => this.#describe(id)));
    return found
      .filter((recording) => recording !== null)
      .toSorted((left, right) => right.startedAt - left.startedAt);
  }

  /** The whole recording, `null` for an unknown id. */
  async read(id: string): Promise<string | null> {
    return idPattern.test(id) ? readFile(this.#pathOf(id), "utf8").catch(() => null) : null;
  }

  #pathOf(id: string): string {
    return join(this.#folder, `${id}.cast`);
  }

  async #describe(id: string): Promise<RecordingResource | null> {
    const path = this.#pathOf(id);
    const handle = await open(path);
    try {
      const head = Buffer.alloc(headerSizeBytesMax);
      const { bytesRead } = await handle.read(head, 0, headerSizeBytesMax, 0);
      const line = head.subarray(0, bytesRead).toString("utf8").split("\n")[0] ?? "";
      const header = headerSchema.safeParse(line.endsWith("}") ? JSON.parse(line) : null);
      if (!header.success) {
        return null;
      }
      const { timestamp, portolan } = header.data;
      const { size } = await stat(path);
      return { id, ...portolan, startedAt: timestamp * 1000, sizeBytes: size };
    } finally {
      await handle.close();
    }
  }
}
