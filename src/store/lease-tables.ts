import type { Kysely } from "kysely";

export type LeaseTables = {
  leases: {
    serverName: string;
    address: string;
    mac: string | null;
    state: "offered" | "bound" | "declined";
    untilMs: number;
  };
};

export async function createLeaseTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("leases")
    .addColumn("serverName", "text", (column) => column.notNull())
    .addColumn("address", "text", (column) => column.notNull())
    .addColumn("mac", "text")
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("untilMs", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("leasesKey", ["serverName", "address"])
    .execute();
}
