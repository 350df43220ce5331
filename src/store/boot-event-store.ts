import type { Selectable } from "kysely";
import type { Database } from "./database.ts";
import { membersOf } from "./group-store.ts";
import type { Tables } from "./tables.ts";

export type StoredBootEvent = Omit<Selectable<Tables["bootEvents"]>, "id">;

/** Kept for the whole site; the oldest go first. */
const eventCountMax = 200_000;

export class BootEventStore {
  readonly #db: Database;
  #sincePruned = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  async insert(events: readonly StoredBootEvent[]): Promise<void> {
    if (events.length === 0) {
      return;
    }
    await this.#db.insertInto("bootEvents").values(events).execute();
    this.#sincePruned += events.length;
    if (this.#sincePruned > 1000) {
      this.#sincePruned = 0;
      await this.#prune();
    }
  }

  /**
   * Newest first, of all, of these cards, or of the computers in some groups; older than `before`, epoch ms. Events of one millisecond are never parted, so
   * that there may be a few more than `limit`.
   */
  async list(
    of: readonly string[] | ReadonlySet<string> | null,
    { before, limit = 200 }: { readonly before?: number | undefined; readonly limit?: number } = {},
  ): Promise<StoredBootEvent[]> {
    const every = this.#db.selectFrom("bootEvents").selectAll();
    const all = before === undefined ? every : every.where("atMs", "<", before);
    const chosen =
      of === null
        ? all
        : of instanceof Set
          ? all.where("computerId", "in", membersOf(this.#db, of))
          : all.where("mac", "in", ["", ...of]);
    const found = await chosen.orderBy("id", "desc").limit(limit).execute();
    const last = found.at(-1);
    if (last === undefined || found.length < limit) {
      return found;
    }
    const rest = chosen.where("atMs", "=", last.atMs).where("id", "<", last.id);
    return [...found, ...(await rest.orderBy("id", "desc").limit(limit).execute())];
  }

  async #prune(): Promise<void> {
    const newest = await this.#db
      .selectFrom("bootEvents")
      .select("id")
      .orderBy("id", "desc")
      .limit(1)
      .execute();
    const last = newest[0]?.id ?? 0;
    await this.#db
      .deleteFrom("bootEvents")
      .where("id", "<", last - eventCountMax)
      .execute();
  }
}
