import { decodeManifest } from "#engine/image/manifest.ts";
import type { ControlPlace } from "#plan/control-places.ts";
import type { Clock } from "#platform/clock.ts";
import type { ChunkAccess, ChunkRequest, ChunkRequestStore } from "#store/chunk-request-store.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { distinctChunks } from "./image-catalogue.ts";
import type { TransferService } from "./services/transfer-service.ts";

export type ChunkDeskDependencies = {
  readonly serverName: string;
  readonly requests: ChunkRequestStore;
  readonly chunks: ChunkStore;
  readonly transfers: Pick<TransferService, "issue" | "revoke">;
  /** The addresses at which transfers are taken. */
  readonly places: () => readonly ControlPlace[];
  readonly readManifest: (contentId: string) => Promise<string>;
  /** Wakes the other servers of the site. */
  readonly notify: () => Promise<void>;
  readonly clock: Clock;
};

/** A request that its asker never took back; a ticket does not live longer. */
const requestLifetimeMs = 6 * 3_600_000;

/** Gives other servers of the site tickets for the chunks that this one has in store. */
export class ChunkDesk {
  readonly #dependencies: ChunkDeskDependencies;
  /** Tickets, keyed by request. BOUNDED by the requests in the database. */
  readonly #given = new Map<string, readonly string[]>();
  #turn: Promise<void> = Promise.resolve();

  constructor(dependencies: ChunkDeskDependencies) {
    this.#dependencies = dependencies;
  }

  /** Answers what is new, and takes back the tickets of what is over. One call at a time. */
  look(): Promise<void> {
    const done = this.#turn.then(() => this.#look());
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #look(): Promise<void> {
    const { requests, serverName, transfers, notify, clock } = this.#dependencies;
    await requests.removeOlderThan(clock.epochMs() - requestLifetimeMs);
    const asked = await requests.listAsked(serverName);
    const open = new Set(asked.map(({ id }) => id));
    for (const [id, tickets] of this.#given) {
      if (!open.has(id)) {
        this.#given.delete(id);
        tickets.forEach((ticket) => transfers.revoke(ticket));
      }
    }
    // Tickets of an earlier life of this server are void: they are given anew.
    const waiting = asked.filter(({ id, answer }) => answer === null || !this.#given.has(id));
    for (const request of waiting) {
      const answer = await this.#give(request).then(
        (accesses) => ({ accesses, failure: null }),
        // The asker tells the operator; the others that ask get their answers.
        (error: unknown) => ({
          accesses: [],
          failure: error instanceof Error ? error.message : String(error),
        }),
      );
      this.#given.set(
        request.id,
        answer.accesses.map(({ ticket }) => ticket),
      );
      await requests.answer(request.id, answer);
    }
    if (waiting.length > 0) {
      await notify();
    }
  }

  async #give({ id, contentId }: ChunkRequest): Promise<ChunkAccess[]> {
    const { chunks, transfers, places, readManifest } = this.#dependencies;
    const manifestText = await readManifest(contentId);
    const chunkHashes = distinctChunks(decodeManifest(manifestText));
    if (!(await hasAny(chunks, chunkHashes))) {
      return [];
    }
    const right = { type: "read", manifestText, chunkHashes } as const;
    const accesses: ChunkAccess[] = [];
    for (const { name: interfaceName, address } of places()) {
      // The asker shows a certificate that bears the request's id.
      const given = { computerId: id, serverAddress: address, interfaceName, right };
      accesses.push({ address, ...(await transfers.issue(given)) });
    }
    return accesses;
  }
}

async function hasAny(chunks: ChunkStore, chunkHashes: Iterable<string>): Promise<boolean> {
  for (const chunkHash of chunkHashes) {
    if (await chunks.has(chunkHash)) {
      return true;
    }
  }
  return false;
}
