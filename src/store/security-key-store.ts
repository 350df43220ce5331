import type { Selectable } from "kysely";
import type { Database } from "./database.ts";
import type { SecurityKeyTables } from "./second-factor-tables.ts";

export type StoredSecurityKey = Selectable<SecurityKeyTables["securityKeys"]>;

/** Security keys and passkeys: their public halves, so that nothing here opens anything. */
export class SecurityKeyStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  list(userId: string): Promise<StoredSecurityKey[]> {
    return this.#db
      .selectFrom("securityKeys")
      .selectAll()
      .where("userId", "=", userId)
      .orderBy("createdAtMs")
      .execute();
  }

  /** Accounts that have one. */
  async listUsers(): Promise<string[]> {
    const rows = await this.#db.selectFrom("securityKeys").select("userId").distinct().execute();
    return rows.map(({ userId }) => userId);
  }

  async findCredential(credentialId: string): Promise<StoredSecurityKey | null> {
    const row = await this.#db
      .selectFrom("securityKeys")
      .selectAll()
      .where("credentialId", "=", credentialId)
      .executeTakeFirst();
    return row ?? null;
  }

  async insert(key: StoredSecurityKey): Promise<void> {
    await this.#db.insertInto("securityKeys").values(key).execute();
  }

  /**
   * Whether this use is a new one: a key that counts must have counted on since the last, whichever server saw that. A
   * key that says 0 does not count.
   */
  async takeUse(id: string, useCount: number, atMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable("securityKeys")
      .set({ useCount, lastUsedAtMs: atMs })
      .where("id", "=", id)
      .where((is) => (useCount === 0 ? is("useCount", "=", 0) : is("useCount", "<", useCount)))
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Whether the account had it. */
  async remove(userId: string, id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("securityKeys")
      .where("userId", "=", userId)
      .where("id", "=", id)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }
}
