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

export type SecurityKeyTables = {
  securityKeys: {
    id: string;
    userId: string;
    /** What its owner calls it. */
    name: string;
    /** The host name it was added at: it answers at no other. */
    host: string;
    /** The key's own name for the credential, base64url. */
    credentialId: string;
    /** COSE, base64url. */
    publicKey: string;
    /** How often the key says it was used; 0 for ever where it does not count. */
    useCount: number;
    /** How browsers reach it, JSON. */
    transports: string;
    createdAtMs: number;
    lastUsedAtMs: number | null;
  };
};

/** Migration 0220. */
export async function createSecurityKeyTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("securityKeys")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("userId", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("host", "text", (column) => column.notNull())
    .addColumn("credentialId", "text", (column) => column.notNull().unique())
    .addColumn("publicKey", "text", (column) => column.notNull())
    .addColumn("useCount", "bigint", (column) => column.notNull())
    .addColumn("transports", "text", (column) => column.notNull())
    .addColumn("createdAtMs", "bigint", (column) => column.notNull())
    .addColumn("lastUsedAtMs", "bigint")
    .execute();
  await db.schema.createIndex("securityKeysByUser").on("securityKeys").column("userId").execute();
}
