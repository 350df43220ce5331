import type { Database } from "./database.ts";

const settingPrefix = "setting.";

/** What the servers of one site share: its key and its settings. */
export class SiteStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async read(key: string): Promise<string | null> {
    const row = await this.#db.selectFrom("site").select("value").where("key", "=", key).executeTakeFirst();
    return row?.value ?? null;
  }

  /** Keeps the first value ever written: two servers that start together agree on one. */
  async readOrCreate(key: string, create: () => Promise<string>): Promise<string> {
    const known = await this.read(key);
    if (known !== null) {
      return known;
    }
    const value = await create();
    await this.#db
      .insertInto("site")
      .values({ key, value })
      .onConflict((conflict) => conflict.column("key").doNothing())
      .execute();
    return (await this.read(key)) ?? value;
  }

  async write(key: string, value: string): Promise<void> {
    await this.#db
      .insertInto("site")
      .values({ key, value })
      .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
      .execute();
  }

  async remove(key: string): Promise<void> {
    await this.#db.deleteFrom("site").where("key", "=", key).execute();
  }

  /** Changed settings by key, as text. */
  async readSettings(): Promise<Record<string, string>> {
    const rows = await this.#db
      .selectFrom("site")
      .selectAll()
      .where("key", "like", `${settingPrefix}%`)
      .execute();
    return Object.fromEntries(rows.map((row) => [row.key.slice(settingPrefix.length), row.value]));
  }

  writeSetting(key: string, value: string): Promise<void> {
    return this.write(`${settingPrefix}${key}`, value);
  }

  async clearSetting(key: string): Promise<void> {
    await this.remove(`${settingPrefix}${key}`);
  }

  async clearSettings(): Promise<void> {
    await this.#db.deleteFrom("site").where("key", "like", `${settingPrefix}%`).execute();
  }
}
