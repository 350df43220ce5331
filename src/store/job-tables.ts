import type { Generated, Kysely } from "kysely";
import type { Dialect } from "./migrations.ts";

/** What jobs keep beside `jobs` and `runs` of the first tables. */
export type JobTables = {
  jobs: {
    id: string;
    name: string;
    tasks: string;
    createdAtMs: number;
    /** JSON: conditions, schedule, windows, concurrency. */
    rules: Generated<string>;
    /** JSON: computers, occurrence. */
    assignment: Generated<string>;
    nextAtMs: number | null;
  };
  /** What each run did, step by step. */
  runSteps: {
    id: Generated<number>;
    runId: string;
    computerId: string;
    atMs: number;
    /** JSON. */
    body: string;
  };
  /** Manifests of everything in the chunk store that is no image. */
  contents: { id: string; manifest: string; sizeBytes: number; createdAtMs: number };
  packages: {
    id: string;
    name: string;
    version: string;
    contentId: string;
    /** JSON: the definition. */
    body: string;
    createdAtMs: number;
  };
  userData: {
    id: Generated<number>;
    computerId: string;
    name: string;
    contentId: string;
    createdAtMs: number;
  };
};

export async function createJobTables(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const serial = dialect === "sqlite" ? "integer" : "bigserial";
  const jobs = db.schema.alterTable("jobs");
  await jobs.addColumn("rules", "text", (column) => column.notNull().defaultTo("{}")).execute();
  await jobs.addColumn("assignment", "text", (column) => column.notNull().defaultTo("{}")).execute();
  await jobs.addColumn("nextAtMs", "bigint").execute();
  await db.schema
    .createTable("runSteps")
    .addColumn("id", serial, (column) => column.primaryKey())
    .addColumn("runId", "text", (column) => column.notNull())
    .addColumn("computerId", "text", (column) => column.notNull())
    .addColumn("atMs", "bigint", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("runStepsByRun").on("runSteps").column("runId").execute();
  await db.schema.createIndex("runsByComputer").on("runs").column("computerId").execute();
  await db.schema
    .createTable("contents")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("manifest", "text", (column) => column.notNull())
    .addColumn("sizeBytes", "bigint", (column) => column.notNull())
    .addColumn("createdAtMs", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("packages")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("version", "text", (column) => column.notNull())
    .addColumn("contentId", "text", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .addColumn("createdAtMs", "bigint", (column) => column.notNull())
    .addUniqueConstraint("packagesByNameAndVersion", ["name", "version"])
    .execute();
  await db.schema
    .createTable("userData")
    .addColumn("id", serial, (column) => column.primaryKey())
    .addColumn("computerId", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("contentId", "text", (column) => column.notNull())
    .addColumn("createdAtMs", "bigint", (column) => column.notNull())
    .execute();
}
