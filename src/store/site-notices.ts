import { PostgresAdapter, sql } from "kysely";
import { Client } from "pg";
import type { Database } from "./database.ts";

const channel = "portolan_site";
const reconnectDelayMs = 1000;

/** Tells the other servers of the site that something they hold in memory has changed. One server has nobody to tell. */
export async function notifySite(
  db: Database,
  what: "settings" | "segments" | "control" | "chunks" | "groups",
): Promise<void> {
  if (db.getExecutor().adapter instanceof PostgresAdapter) {
    await sql`select pg_notify(${channel}, ${what})`.execute(db);
  }
}

/**
 * Listens for what other servers say on a connection of its own, and comes back when that is lost. What is said while it is
 * away is not heard: `onNotice` is called after each return.
 *
 * @returns how to stop; does nothing on SQLite, which one server has for itself
 */
export function listenToSite(databaseUrl: string, onNotice: () => void): () => Promise<void> {
  if (!/^postgres(ql)?:\/\//.test(databaseUrl)) {
    return () => Promise.resolve();
  }
  let isStopped = false;
  let client: Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  const connectLater = (): void => {
    clearTimeout(timer);
    if (!isStopped) {
      timer = setTimeout(() => void connect(), reconnectDelayMs);
    }
  };
  async function connect(): Promise<void> {
    const next = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5000 });
    client = next;
    next.on("notification", onNotice);
    next.on("error", connectLater);
    next.on("end", connectLater);
    try {
      await next.connect();
      await next.query(`listen ${channel}`);
      onNotice();
    } catch {
      // Whoever needs the database says so; this only tries again.
      connectLater();
    }
  }
  void connect();
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    await client?.end().catch(() => undefined);
  };
}
