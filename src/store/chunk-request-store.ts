import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { Database } from "./database.ts";

/** Where the asked server serves what was asked for, and the ticket to show there. */
export type ChunkAccess = {
  readonly address: Ipv4Address;
  readonly port: number;
  readonly ticket: string;
};

export type ChunkAnswer = {
  /** Any of them will do; empty when the asked server has nothing of it, or failed. */
  readonly accesses: readonly ChunkAccess[];
  /** Why it cannot give what it may have. */
  readonly failure: string | null;
};

export type ChunkRequest = {
  readonly id: string;
  readonly askerName: string;
  readonly askedName: string;
  readonly contentId: string;
  readonly askedAtMs: number;
  readonly answer: ChunkAnswer | null;
};

/** Servers of one site ask each other for tickets here: all of them hold the site's key, and nobody else reads it. */
export class ChunkRequestStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async ask(request: Omit<ChunkRequest, "answer">): Promise<void> {
    await this.#db
      .insertInto("chunkRequests")
      .values({ ...request, answer: null })
      .execute();
  }

  async find(id: string): Promise<ChunkRequest | null> {
    const row = await this.#db
      .selectFrom("chunkRequests")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirst();
    return row === undefined ? null : toRequest(row);
  }

  /** What others want of this server. */
  async listAsked(askedName: string): Promise<ChunkRequest[]> {
    const rows = await this.#db
      .selectFrom("chunkRequests")
      .selectAll()
      .where("askedName", "=", askedName)
      .execute();
    return rows.map(toRequest);
  }

  async answer(id: string, answer: ChunkAnswer): Promise<void> {
    await this.#db
      .updateTable("chunkRequests")
      .set({ answer: JSON.stringify(answer) })
      .where("id", "=", id)
      .execute();
  }

  async remove(id: string): Promise<void> {
    await this.#db.deleteFrom("chunkRequests").where("id", "=", id).execute();
  }

  /** Of servers that were killed while they fetched. */
  async removeOlderThan(askedAtMs: number): Promise<void> {
    await this.#db.deleteFrom("chunkRequests").where("askedAtMs", "<", askedAtMs).execute();
  }
}

function toRequest(row: Omit<ChunkRequest, "answer"> & { readonly answer: string | null }): ChunkRequest {
  return { ...row, answer: row.answer === null ? null : (JSON.parse(row.answer) as ChunkAnswer) };
}
