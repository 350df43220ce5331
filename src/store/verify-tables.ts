import type { Kysely } from "kysely";

/** What is known to be wrong, and what the last verification of each segment said. */
export type VerifyTables = {
  findings: {
    /** Kind and subject: the same thing found again is the same row. */
    key: string;
    /** JSON of the finding. */
    body: string;
    firstSeenAtMs: number;
    lastSeenAtMs: number;
    seenCount: number;
  };
  verdicts: { segment: string; atMs: number; body: string };
};

export async function createVerifyTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("findings")
    .addColumn("key", "text", (column) => column.primaryKey())
    .addColumn("body", "text", (column) => column.notNull())
    .addColumn("firstSeenAtMs", "bigint", (column) => column.notNull())
    .addColumn("lastSeenAtMs", "bigint", (column) => column.notNull())
    .addColumn("seenCount", "integer", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("verdicts")
    .addColumn("segment", "text", (column) => column.primaryKey())
    .addColumn("atMs", "bigint", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .execute();
}
