import type { Selectable } from "kysely";
import type { BootEvent } from "#engine/boot/boot-event.ts";
import type { Database } from "./database.ts";
import type { Tables } from "./tables.ts";

export type StoredBootEvent = Omit<Selectable<Tables["bootEvents"]>, "id">;

/** Kept for the whole site; the oldest go first. */
const eventCountMax = 200_000;

export function toStoredBootEvent(event: BootEvent): StoredBootEvent {
  return {
    atMs: Math.round(event.atMs),
    computerId: event.computerId,
    mac: event.mac,
    stage: event.stage,
    outcome: event.outcome,
    reason: event.reason,
    detail: [event.firmware, event.file].filter((part) => part !== null).join(" ") || null,
  };
}

export class BootEventStore {
  readonly #db: Database;
  #sincePruned = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  async insert(events: readonly BootEvent[]): Promise<void> {
    if (events.length === 0) {
      return;
    }
    const rows = events.map(toStoredBootEvent);
    await this.#db.insertInto("bootEvents").values(rows).execute();
    this.#sincePruned += rows.length;
    if (this.#sincePruned > 1000) {
      this.#sincePruned = 0;
      await this.#prune();
    }
  }

  /**
   * Newest first, of all or of these cards; older than `before`, epoch ms. Events of one millisecond are never parted, so
   * that there may be a few more than `limit`.
   */
  async list(
    macs: readonly string[] | null,
    { before, limit = 200 }: { readonly before?: number | undefined; readonly limit?: number } = {},
  ): Promise<StoredBootEvent[]> {
    const every = this.#db.selectFrom("bootEvents").selectAll();
    const all = before === undefined ? every : every.where("atMs", "<", before);
    const chosen = macs === null ? all : all.where("mac", "in", macs.length === 0 ? [""] : [...macs]);
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
