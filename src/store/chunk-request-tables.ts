import type { Kysely } from "kysely";

export type ChunkRequestTables = {
  /** What one server of the site wants of another's store: a ticket, asked and answered here. */
  chunkRequests: {
    id: string;
    askerName: string;
    askedName: string;
    contentId: string;
    askedAtMs: number;
    /** JSON; `null` until the asked server has seen it. */
    answer: string | null;
  };
};

export async function createChunkRequestTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("chunkRequests")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("askerName", "text", (column) => column.notNull())
    .addColumn("askedName", "text", (column) => column.notNull())
    .addColumn("contentId", "text", (column) => column.notNull())
    .addColumn("askedAtMs", "bigint", (column) => column.notNull())
    .addColumn("answer", "text")
    .execute();
}
