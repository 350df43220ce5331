import type { Kysely } from "kysely";

/** Groups of computers: a tree, and who is in it. */
export type GroupTables = {
  computerGroups: {
    id: string;
    name: string;
    /** The group it is in, `null` at the top. */
    parentId: string | null;
  };
  /** A computer is in one group or in none: its id is the key. */
  groupMembers: { computerId: string; groupId: string };
};

/** Migration 0190. */
export async function createGroupTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("computerGroups")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("parentId", "text")
    .execute();
  await db.schema
    .createTable("groupMembers")
    .addColumn("computerId", "text", (column) => column.primaryKey())
    .addColumn("groupId", "text", (column) => column.notNull())
    .execute();
}
