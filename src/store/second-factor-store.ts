import type { Selectable } from "kysely";
import type { Database } from "./database.ts";
import type { SecondFactorTables } from "./second-factor-tables.ts";

export type StoredAuthenticator = Selectable<SecondFactorTables["authenticators"]>;

/** Authenticators and recovery codes. What may count once is taken by one statement, so that no two servers take it. */
export class SecondFactorStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async find(userId: string): Promise<StoredAuthenticator | null> {
    const row = await this.#db
      .selectFrom("authenticators")
      .selectAll()
      .where("userId", "=", userId)
      .executeTakeFirst();
    return row ?? null;
  }

  /** Accounts whose authenticator has shown a code. */
  async listConfirmedUsers(): Promise<string[]> {
    const rows = await this.#db
      .selectFrom("authenticators")
      .select("userId")
      .where("confirmedAtMs", "is not", null)
      .execute();
    return rows.map(({ userId }) => userId);
  }

  /** A new secret that counts only once it is confirmed. */
  async begin(userId: string, secret: string): Promise<void> {
    const values = { secret, confirmedAtMs: null, lastStep: 0 };
    await this.#db
      .insertInto("authenticators")
      .values({ userId, ...values })
      .onConflict((conflict) => conflict.column("userId").doUpdateSet(values))
      .execute();
  }

  /** Whether this step was still free for a code of this account. */
  async takeStep(userId: string, step: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable("authenticators")
      .set({ lastStep: step })
      .where("userId", "=", userId)
      .where("lastStep", "<", step)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Counts from now on, with these recovery codes and no older ones. */
  async confirm(userId: string, nowMs: number, codeHashes: readonly string[]): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await transaction
        .updateTable("authenticators")
        .set({ confirmedAtMs: nowMs })
        .where("userId", "=", userId)
        .execute();
      await transaction.deleteFrom("recoveryCodes").where("userId", "=", userId).execute();
      await transaction
        .insertInto("recoveryCodes")
        .values(codeHashes.map((codeHash) => ({ codeHash, userId })))
        .execute();
    });
  }

  async countRecoveryCodes(userId: string): Promise<number> {
    const { count } = await this.#db
      .selectFrom("recoveryCodes")
      .select((of) => of.fn.countAll<number>().as("count"))
      .where("userId", "=", userId)
      .executeTakeFirstOrThrow();
    return count;
  }

  /** Whether there was this code; it is gone then. */
  async takeRecoveryCode(userId: string, codeHash: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("recoveryCodes")
      .where("userId", "=", userId)
      .where("codeHash", "=", codeHash)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }

  /** Instead of older ones. */
  async replaceRecoveryCodes(userId: string, codeHashes: readonly string[]): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom("recoveryCodes").where("userId", "=", userId).execute();
      if (codeHashes.length > 0) {
        await transaction
          .insertInto("recoveryCodes")
          .values(codeHashes.map((codeHash) => ({ codeHash, userId })))
          .execute();
      }
    });
  }

  async removeAuthenticator(userId: string): Promise<void> {
    await this.#db.deleteFrom("authenticators").where("userId", "=", userId).execute();
  }

  /** Authenticator, keys and recovery codes. */
  async removeAll(userId: string): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom("securityKeys").where("userId", "=", userId).execute();
      await transaction.deleteFrom("recoveryCodes").where("userId", "=", userId).execute();
      await transaction.deleteFrom("authenticators").where("userId", "=", userId).execute();
    });
  }
}
