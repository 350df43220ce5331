import type { Kysely } from "kysely";

export type InstallerTables = {
  installers: {
    id: string;
    name: string;
    /** Of kernel and initrd together. */
    contentId: string;
    /** JSON: the definition. */
    body: string;
    createdAtMs: number;
  };
};

export async function createInstallerTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("installers")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull().unique())
    .addColumn("contentId", "text", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .addColumn("createdAtMs", "bigint", (column) => column.notNull())
    .execute();
}
