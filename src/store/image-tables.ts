import type { Kysely } from "kysely";

/** Where an image came from, what it takes, and that it is what the site once accepted. */
export async function signImages(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("images").addColumn("signature", "text").execute();
  await db.schema.alterTable("images").addColumn("storedBytes", "bigint").execute();
  await db.schema.alterTable("images").addColumn("source", "text").execute();
}
