import type { Selectable } from "kysely";
import type { Database } from "./database.ts";
import type { RepeatTables } from "./repeat-tables.ts";

export type StoredRequestKey = Selectable<RepeatTables["requestKeys"]>;

/** Keys of requests, on all servers of the site. */
export class RepeatStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Takes the key, or tells who has it. Older than `forgetBeforeMs` are forgotten. */
  async claim(entry: StoredRequestKey, forgetBeforeMs: number): Promise<StoredRequestKey | null> {
    await this.#db.deleteFrom("requestKeys").where("atMs", "<", forgetBeforeMs).execute();
    const claimed = await this.#db
      .insertInto("requestKeys")
      .values(entry)
      .onConflict((conflict) => conflict.column("keyHash").doNothing())
      .returning("keyHash")
      .executeTakeFirst();
    if (claimed !== undefined) {
      return null;
    }
    const holder = await this.#db
      .selectFrom("requestKeys")
      .selectAll()
      .where("keyHash", "=", entry.keyHash)
      .executeTakeFirst();
    return holder ?? null;
  }

  async keepAnswer(keyHash: string, answer: string): Promise<void> {
    await this.#db.updateTable("requestKeys").set({ answer }).where("keyHash", "=", keyHash).execute();
  }

  async release(keyHash: string): Promise<void> {
    await this.#db.deleteFrom("requestKeys").where("keyHash", "=", keyHash).execute();
  }
}
