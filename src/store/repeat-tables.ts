import type { Kysely } from "kysely";

/** Requests that were sent with a key, so that sending them again does not do them again. */
export type RepeatTables = {
  requestKeys: {
    /** SHA-256 of caller and key. */
    keyHash: string;
    /** SHA-256 of what was asked for. */
    requestHash: string;
    /** The answer as JSON; `null` while it is being done, or when the server was ended meanwhile. */
    answer: string | null;
    atMs: number;
  };
};

/** Migration 0150. */
export async function createRepeatTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("requestKeys")
    .addColumn("keyHash", "text", (column) => column.primaryKey())
    .addColumn("requestHash", "text", (column) => column.notNull())
    .addColumn("answer", "text")
    .addColumn("atMs", "bigint", (column) => column.notNull())
    .execute();
}
