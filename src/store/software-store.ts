import { createHash } from "node:crypto";
import type { Software } from "#wire/control/software-message.ts";
import type { Database } from "./database.ts";

export type StoredSoftware = { readonly computerId: string; readonly listId: string; readonly atMs: number };

/** What is installed on computers. Computers with equal software share one list, which is most of a room. */
export class SoftwareStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async lists(): Promise<ReadonlyMap<string, Software>> {
    const rows = await this.#db.selectFrom("softwareLists").selectAll().execute();
    return new Map(rows.map(({ id, body }) => [id, JSON.parse(body) as Software]));
  }

  computers(): Promise<StoredSoftware[]> {
    return this.#db.selectFrom("computerSoftware").selectAll().execute();
  }

  /** @returns the id of the list */
  async put(computerId: string, software: Software, atMs: number): Promise<string> {
    const body = JSON.stringify(software);
    const listId = createHash("sha256").update(body).digest("hex");
    const row = { computerId, listId, atMs: Math.round(atMs) };
    await this.#db.transaction().execute(async (transaction) => {
      await transaction
        .insertInto("softwareLists")
        .values({ id: listId, body })
        .onConflict((conflict) => conflict.column("id").doNothing())
        .execute();
      await transaction
        .insertInto("computerSoftware")
        .values(row)
        .onConflict((conflict) => conflict.column("computerId").doUpdateSet(row))
        .execute();
      await transaction
        .deleteFrom("softwareLists")
        .where("id", "not in", transaction.selectFrom("computerSoftware").select("listId"))
        .execute();
    });
    return listId;
  }

  async remove(computerId: string): Promise<void> {
    await this.#db.deleteFrom("computerSoftware").where("computerId", "=", computerId).execute();
  }
}
