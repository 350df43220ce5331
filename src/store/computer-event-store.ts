import type { Selectable } from "kysely";
import type { Database } from "./database.ts";
import { membersOf } from "./group-store.ts";
import type { Tables } from "./tables.ts";

export type StoredComputerEvent = Omit<Selectable<Tables["computerEvents"]>, "id">;

/** Kept for the whole site; the oldest go first. */
const eventCountMax = 200_000;
const detailLengthMax = 1024;

/** What happened to computers outside of boots and jobs. */
export class ComputerEventStore {
  readonly #db: Database;
  #sincePruned = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  async insert(event: StoredComputerEvent): Promise<void> {
    const row = { ...event, atMs: Math.round(event.atMs), detail: event.detail.slice(0, detailLengthMax) };
    await this.#db.insertInto("computerEvents").values(row).execute();
    this.#sincePruned += 1;
    if (this.#sincePruned > 1000) {
      this.#sincePruned = 0;
      await this.#prune();
    }
  }

  /** Newest first, of one computer, of those in some groups, or of all. */
  async list(of: string | ReadonlySet<string> | null, countMax = 200): Promise<StoredComputerEvent[]> {
    const all = this.#db.selectFrom("computerEvents").select(["atMs", "computerId", "kind", "detail"]);
    const chosen =
      of === null
        ? all
        : typeof of === "string"
          ? all.where("computerId", "=", of)
          : all.where("computerId", "in", membersOf(this.#db, of));
    return chosen.orderBy("id", "desc").limit(countMax).execute();
  }

  async #prune(): Promise<void> {
    const newest = await this.#db
      .selectFrom("computerEvents")
      .select("id")
      .orderBy("id", "desc")
      .limit(1)
      .executeTakeFirst();
    await this.#db
      .deleteFrom("computerEvents")
      .where("id", "<", (newest?.id ?? 0) - eventCountMax)
      .execute();
  }
}
