import type { Generated, Kysely } from "kysely";

/** Accounts of people and programs, and what they did. Secrets are here only as hashes. */
export type AccountTables = {
  users: {
    id: string;
    name: string;
    role: string;
    /** Argon2id with its parameters and salt, or `null` for an account that logs in elsewhere. */
    passwordHash: string | null;
    createdAtMs: number;
    lastLoginAtMs: number | null;
    /** Groups of computers it is limited to, as JSON; `null`: the whole site. */
    groupIds: string | null;
  };
  consoleSessions: {
    /** SHA-256 of the cookie. */
    idHash: string;
    userId: string;
    /** SHA-256 of the half that the browser keeps outside the cookie. */
    proofHash: string;
    address: string;
    createdAtMs: number;
    lastUsedAtMs: number;
    confirmedUntilMs: number | null;
  };
  apiTokens: {
    id: string;
    name: string;
    userId: string | null;
    role: string;
    /** SHA-256 of the token. */
    secretHash: string;
    allowsFleetWork: number;
    createdAtMs: number;
    expiresAtMs: number | null;
    lastUsedAtMs: number | null;
    /** As of an account. */
    groupIds: string | null;
  };
  audit: {
    id: Generated<number>;
    atMs: number;
    actor: string;
    actorType: string;
    action: string;
    target: string | null;
    outcome: "done" | "refused" | "failed";
    detail: string | null;
    address: string;
  };
};

/** Migration 0060. */
export async function createAccountTables(
  db: Kysely<unknown>,
  dialect: "sqlite" | "postgres",
): Promise<void> {
  await db.schema
    .createTable("users")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull().unique())
    .addColumn("role", "text", (column) => column.notNull())
    .addColumn("passwordHash", "text")
    .addColumn("createdAtMs", "bigint", (column) => column.notNull())
    .addColumn("lastLoginAtMs", "bigint")
    .execute();
  await db.schema
    .createTable("consoleSessions")
    .addColumn("idHash", "text", (column) => column.primaryKey())
    .addColumn("userId", "text", (column) => column.notNull())
    .addColumn("proofHash", "text", (column) => column.notNull())
    .addColumn("address", "text", (column) => column.notNull())
    .addColumn("createdAtMs", "bigint", (column) => column.notNull())
    .addColumn("lastUsedAtMs", "bigint", (column) => column.notNull())
    .addColumn("confirmedUntilMs", "bigint")
    .execute();
  await db.schema
    .createTable("apiTokens")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("userId", "text")
    .addColumn("role", "text", (column) => column.notNull())
    .addColumn("secretHash", "text", (column) => column.notNull().unique())
    .addColumn("allowsFleetWork", "integer", (column) => column.notNull())
    .addColumn("createdAtMs", "bigint", (column) => column.notNull())
    .addColumn("expiresAtMs", "bigint")
    .addColumn("lastUsedAtMs", "bigint")
    .execute();
  await db.schema
    .createTable("audit")
    .addColumn("id", dialect === "sqlite" ? "integer" : "bigserial", (column) => column.primaryKey())
    .addColumn("atMs", "bigint", (column) => column.notNull())
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("actorType", "text", (column) => column.notNull())
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("target", "text")
    .addColumn("outcome", "text", (column) => column.notNull())
    .addColumn("detail", "text")
    .addColumn("address", "text", (column) => column.notNull())
    .execute();
}

/** Migration 0210. */
export async function addAccountGroups(db: Kysely<unknown>): Promise<void> {
  for (const table of ["users", "apiTokens"]) {
    await db.schema.alterTable(table).addColumn("groupIds", "text").execute();
  }
}

export type ProviderIdentityTables = {
  /** Accounts that log in at a login provider, by what it calls them for ever. */
  providerIdentities: { issuer: string; subject: string; userId: string };
};

/** Migration 0230. */
export async function createProviderIdentityTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("providerIdentities")
    .addColumn("issuer", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("userId", "text", (column) => column.notNull().unique())
    .addPrimaryKeyConstraint("providerIdentitiesKey", ["issuer", "subject"])
    .execute();
}
