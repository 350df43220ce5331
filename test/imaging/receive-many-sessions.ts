import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { zstdDecompressSync } from "node:zlib";
import { MulticastSession } from "#agent/imaging/multicast-session.ts";
import type { TaskContext } from "#agent/task.ts";
import { decodeManifest, type Manifest } from "#engine/image/manifest.ts";
import { createLinuxNetwork } from "#platform/linux/linux-network.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { type ServerImagingMessage, toRanges } from "#wire/control/imaging-messages.ts";

/*
 * Takes part in several sessions at one time on one host, whose sockets therefore share ports and groups: a line of JSON
 * with its part for each message of a control connection. Checks every chunk, writes none.
 * usage: receive-many-sessions.ts SERVER-ADDRESS MANIFEST…
 */
const [serverAddress = "", ...manifestPaths] = process.argv.slice(2);
const network = createLinuxNetwork();

class Part {
  readonly #index: number;
  readonly #manifest: Manifest;
  readonly #written = new Set<number>();
  #session: MulticastSession | null = null;

  constructor(index: number, manifestText: string) {
    this.#index = index;
    this.#manifest = decodeManifest(manifestText);
  }

  join(): void {
    this.#send({ type: "imaging-join", key: "task", wanted: toRanges(this.#wanted()) });
  }

  async receive(message: ServerImagingMessage): Promise<void> {
    if (message.type === "imaging-session") {
      const handlers = { write: this.#write, onEnd: this.#end };
      this.#session = await MulticastSession.join(message, this.#context(), this.#wanted(), handlers);
    } else if (message.type === "imaging-round-end") {
      await this.#session?.answerRound(message);
    }
  }

  #wanted(): number[] {
    return [...this.#manifest.chunks.keys()];
  }

  readonly #write = async (index: number, frame: Uint8Array): Promise<boolean> => {
    const isGenuine = hash("sha256", zstdDecompressSync(frame)) === this.#manifest.chunks[index];
    if (isGenuine) {
      this.#written.add(index);
    }
    return isGenuine;
  };

  readonly #end = (error: Error | null): void => {
    const isComplete = error === null && this.#written.size === this.#manifest.chunks.length;
    const { packetCount, refusedCount } = this.#session ?? { packetCount: 0, refusedCount: 0 };
    this.#send({ type: "complete", isComplete, packetCount, refusedCount });
  };

  #send(message: object): void {
    process.stdout.write(`${JSON.stringify({ part: this.#index, message })}\n`);
  }

  #context(): TaskContext {
    return {
      key: "task",
      network,
      serverAddress: () => Ipv4Address.parse(serverAddress),
      siteKeyFingerprint: "",
      identity: () => ({ key: "", cert: "" }),
      send: (message) => this.#send(message),
      onMessage: () => undefined,
      disks: () => [],
      report: () => undefined,
      say: () => undefined,
      signal: new AbortController().signal,
    };
  }
}

process.on("SIGTERM", () => process.exit());
const parts = manifestPaths.map((path, index) => new Part(index, readFileSync(path, "utf8")));
for (const part of parts) {
  part.join();
}
for await (const line of createInterface({ input: process.stdin })) {
  const { part, message } = JSON.parse(line) as { part: number; message: ServerImagingMessage };
  parts[part]?.receive(message).catch((error: unknown) => {
    throw error;
  });
}
