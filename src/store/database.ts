import { dirname, join } from "node:path";
import { chmodSync, mkdirSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Kysely, PostgresDialect, SqliteDialect } from "kysely";
import { Migrator } from "kysely/migration";
import { Pool, types } from "pg";
import { type Dialect, listMigrations } from "./migrations.ts";
import { withStoreErrors } from "./store-dialect.ts";
import { asStoreError, StoreError } from "./store-error.ts";
import type { Tables } from "./tables.ts";

export type Database = Kysely<Tables>;

export { StoreError };

const statementCountMax = 200;

/** `node:sqlite` in the shape Kysely's own dialect expects. Every commit is on the disk when it returns. */
function openSqlite(path: string): SqliteDialect {
  const db = new DatabaseSync(path);
  db.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON;",
  );
  /** Keyed by SQL text. BOUNDED by `statementCountMax`: the oldest goes. */
  const statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  const prepare = (sql: string) => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = db.prepare(sql);
      const [oldest] = statements.keys();
      if (statements.size >= statementCountMax && oldest !== undefined) {
        statements.delete(oldest);
      }
      statements.set(sql, statement);
    }
    const prepared = statement;
    return {
      reader: prepared.columns().length > 0,
      all: (parameters: readonly unknown[]) => prepared.all(...(parameters as SQLInputValue[])),
      run: (parameters: readonly unknown[]) => prepared.run(...(parameters as SQLInputValue[])),
      iterate: (parameters: readonly unknown[]) =>
        prepared.iterate(...(parameters as SQLInputValue[])) as IterableIterator<unknown>,
    };
  };
  return new SqliteDialect({ database: { close: () => db.close(), prepare } });
}

function openPostgres(url: string): PostgresDialect {
  // Counts and times stay below 2^53; text for every bigint would only be converted at each use.
  types.setTypeParser(types.builtins.INT8, Number);
  const pool = new Pool({ connectionString: url, max: 8, connectionTimeoutMillis: 5000 });
  // A connection that the database closed while idle is replaced at the next query.
  pool.on("error", () => undefined);
  return new PostgresDialect({ pool });
}

/**
 * Opens the site's database and brings its tables up to date.
 *
 * @param url `sqlite:` for a file in `dataDir`, `sqlite:PATH`, or `postgres://…`
 * @throws StoreError `bad-url` | `unavailable` | `damaged` | `disk-full`
 */
export async function openDatabase(url: string, dataDir: string): Promise<Database> {
  const dialect: Dialect | null = url.startsWith("sqlite:")
    ? "sqlite"
    : /^postgres(ql)?:\/\//.test(url)
      ? "postgres"
      : null;
  if (dialect === null) {
    throw new StoreError("bad-url", `the database URL must begin with sqlite: or postgres://`);
  }
  const db: Database = new Kysely<Tables>({
    dialect: withStoreErrors(dialect === "sqlite" ? openSqliteOf(url, dataDir) : openPostgres(url)),
  });
  const migrator = new Migrator({
    db,
    // Areas number their tables apart, so a later release may bring one between two that a database has.
    allowUnorderedMigrations: true,
    provider: { getMigrations: () => Promise.resolve(listMigrations(dialect)) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) {
    await db.destroy();
    throw openError(error);
  }
  return db;
}

/** @throws StoreError `unavailable` | `damaged` | `disk-full` */
function openSqliteOf(url: string, dataDir: string): SqliteDialect {
  const path = url.slice("sqlite:".length) || join(dataDir, "portolan.db");
  try {
    mkdirSync(dirname(path), { recursive: true });
    const dialect = openSqlite(path);
    // The site's private key is inside.
    chmodSync(path, 0o600);
    return dialect;
  } catch (error) {
    throw openError(error);
  }
}

function openError(error: unknown): StoreError {
  const cause = asStoreError(error);
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof StoreError ? cause.code : "unavailable";
  return new StoreError(code, `the database could not be opened: ${reason}`, { cause: error });
}
