import type { Kysely } from "kysely";

/** What an account shows beside its password. */
export type SecondFactorTables = {
  authenticators: {
    userId: string;
    /** Shared with the person's authenticator, base32: codes are computed from it, so that no hash would do. */
    secret: string;
    /** `null` until the first code has shown that the authenticator has the secret. */
    confirmedAtMs: number | null;
    /** Time step of the last code that was taken: that one and older ones are refused. */
    lastStep: number;
  };
  recoveryCodes: {
    /** SHA-256 of account and code. */
    codeHash: string;
    userId: string;
  };
};

/** Migration 0085. */
export async function createSecondFactorTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("authenticators")
    .addColumn("userId", "text", (column) => column.primaryKey())
    .addColumn("secret", "text", (column) => column.notNull())
    .addColumn("confirmedAtMs", "bigint")
    .addColumn("lastStep", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("recoveryCodes")
    .addColumn("codeHash", "text", (column) => column.primaryKey())
    .addColumn("userId", "text", (column) => column.notNull())
    .execute();
}
