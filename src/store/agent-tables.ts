import type { Generated, Kysely } from "kysely";

/** What is known about computers beyond their records: settings of their agents, what happened to them. */
export type AgentTables = {
  agentStates: {
    computerId: string;
    /** What its installed agent runs with, `null` before it has told. */
    settings: string | null;
    isLocked: number;
    /** The last change that was sent to it, and what became of it. */
    change: string | null;
    updatedAtMs: number;
  };
  computerEvents: {
    id: Generated<number>;
    atMs: number;
    /** `null`: it concerns the site. */
    computerId: string | null;
    kind: string;
    detail: string;
  };
  /** What is installed on one computer or more. */
  softwareLists: {
    /** SHA-256 of `body`. */
    id: string;
    body: string;
  };
  computerSoftware: {
    computerId: string;
    listId: string;
    /** When its agent told it. */
    atMs: number;
  };
  enrolmentTokens: {
    id: string;
    name: string;
    /** SHA-256 of the token. */
    secretHash: string;
    usesLeft: number;
    expiresAtMs: number;
    createdAtMs: number;
  };
};

/** Migration 0051. */
export async function addRevocation(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("computers").addColumn("revokedAtMs", "bigint").execute();
}

/** Migration 0171. */
export async function createSoftwareTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("softwareLists")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("body", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("computerSoftware")
    .addColumn("computerId", "text", (column) => column.primaryKey())
    .addColumn("listId", "text", (column) => column.notNull())
    .addColumn("atMs", "bigint", (column) => column.notNull())
    .execute();
}

/** Migration 0170. */
export async function addInitialDeployment(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("computers").addColumn("initialAskedAtMs", "bigint").execute();
}

/** Migration 0050. */
export async function createAgentTables(db: Kysely<unknown>, dialect: "sqlite" | "postgres"): Promise<void> {
  await db.schema
    .createTable("agentStates")
    .addColumn("computerId", "text", (column) => column.primaryKey())
    .addColumn("settings", "text")
    .addColumn("isLocked", "integer", (column) => column.notNull())
    .addColumn("change", "text")
    .addColumn("updatedAtMs", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("computerEvents")
    .addColumn("id", dialect === "sqlite" ? "integer" : "bigserial", (column) => column.primaryKey())
    .addColumn("atMs", "bigint", (column) => column.notNull())
    .addColumn("computerId", "text")
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("detail", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("enrolmentTokens")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("secretHash", "text", (column) => column.notNull())
    .addColumn("usesLeft", "integer", (column) => column.notNull())
    .addColumn("expiresAtMs", "bigint", (column) => column.notNull())
    .addColumn("createdAtMs", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("computerEventsByComputer").on("computerEvents").column("computerId").execute();
}
