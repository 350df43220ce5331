import type { Database } from "./database.ts";

/** A server of the site, as it last said. */
export type StoredServer = {
  readonly name: string;
  readonly startedAtMs: number;
  readonly seenAtMs: number;
  /** Settings it runs with, as text by key. */
  readonly settings: Readonly<Record<string, string>>;
  /** What it could not follow, as sentences. */
  readonly problems: readonly string[];
  /** Where its open sockets or its configuration file differ from its plan, as sentences. */
  readonly differences: readonly string[];
};

/** The servers of one site: what each has for itself, what each runs with, and which old ports it keeps open. */
export class ServerStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async list(): Promise<StoredServer[]> {
    const rows = await this.#db.selectFrom("servers").selectAll().orderBy("name").execute();
    return rows.map((row) => ({
      ...row,
      settings: JSON.parse(row.settings) as Record<string, string>,
      problems: JSON.parse(row.problems) as string[],
      differences: JSON.parse(row.differences) as string[],
    }));
  }

  async report(server: StoredServer): Promise<void> {
    const { name, ...rest } = server;
    const row = {
      ...rest,
      settings: JSON.stringify(server.settings),
      problems: JSON.stringify(server.problems),
      differences: JSON.stringify(server.differences),
    };
    await this.#db
      .insertInto("servers")
      .values({ name, ...row })
      .onConflict((conflict) => conflict.column("name").doUpdateSet(row))
      .execute();
  }

  /** Settings that servers have for themselves: text by key, by server. */
  async readOwnSettings(): Promise<Record<string, Record<string, string>>> {
    const rows = await this.#db.selectFrom("serverSettings").selectAll().execute();
    const own: Record<string, Record<string, string>> = {};
    for (const { serverName, key, value } of rows) {
      (own[serverName] ??= {})[key] = value;
    }
    return own;
  }

  async writeOwnSetting(serverName: string, key: string, value: string): Promise<void> {
    await this.#db
      .insertInto("serverSettings")
      .values({ serverName, key, value })
      .onConflict((conflict) => conflict.columns(["serverName", "key"]).doUpdateSet({ value }))
      .execute();
  }

  async removeOwnSetting(serverName: string, key: string): Promise<void> {
    await this.#db
      .deleteFrom("serverSettings")
      .where("serverName", "=", serverName)
      .where("key", "=", key)
      .execute();
  }

  async clearOwnSettings(): Promise<void> {
    await this.#db.deleteFrom("serverSettings").execute();
  }
}
