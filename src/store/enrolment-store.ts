import type { Selectable } from "kysely";
import type { Database } from "./database.ts";
import type { Tables } from "./tables.ts";

export type StoredEnrolmentToken = Selectable<Tables["enrolmentTokens"]>;

/** Tokens that let computers in without an operator, each for a time and a number of them. */
export class EnrolmentStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async insert(token: StoredEnrolmentToken): Promise<void> {
    await this.#db.insertInto("enrolmentTokens").values(token).execute();
  }

  async list(): Promise<StoredEnrolmentToken[]> {
    return this.#db.selectFrom("enrolmentTokens").selectAll().orderBy("createdAtMs").execute();
  }

  async findBySecret(secretHash: string): Promise<StoredEnrolmentToken | null> {
    const row = await this.#db
      .selectFrom("enrolmentTokens")
      .selectAll()
      .where("secretHash", "=", secretHash)
      .executeTakeFirst();
    return row ?? null;
  }

  /** Takes one use; false when none is left, also when another server took it a moment ago. */
  async takeUse(id: string): Promise<boolean> {
    const outcome = await this.#db
      .updateTable("enrolmentTokens")
      .set((table) => ({ usesLeft: table("usesLeft", "-", 1) }))
      .where("id", "=", id)
      .where("usesLeft", ">", 0)
      .executeTakeFirst();
    return Number(outcome.numUpdatedRows) === 1;
  }

  async remove(id: string): Promise<boolean> {
    const outcome = await this.#db.deleteFrom("enrolmentTokens").where("id", "=", id).executeTakeFirst();
    return Number(outcome.numDeletedRows) === 1;
  }
}
