import type { Selectable } from "kysely";
import type { AccountTables } from "./account-tables.ts";
import type { Database } from "./database.ts";
import { membersOf } from "./group-store.ts";

export type StoredAuditEntry = Selectable<AccountTables["audit"]>;

/** Kept for the whole site; the oldest go first. */
const entryCountMax = 500_000;
const pruneEvery = 1000;

/** Who did what, when and from where. Entries are added and read, never changed. */
export class AuditStore {
  readonly #db: Database;
  #sincePruned = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  async insert(entry: Omit<StoredAuditEntry, "id">): Promise<void> {
    await this.#db.insertInto("audit").values(entry).execute();
    this.#sincePruned += 1;
    if (this.#sincePruned >= pruneEvery) {
      this.#sincePruned = 0;
      const [newest] = await this.list({ limit: 1 });
      await this.#db
        .deleteFrom("audit")
        .where("id", "<", (newest?.id ?? 0) - entryCountMax)
        .execute();
    }
  }

  /** Newest first. */
  list(wanted: {
    readonly before?: number | undefined;
    readonly actor?: string | undefined;
    readonly outcome?: StoredAuditEntry["outcome"] | undefined;
    readonly action?: string | undefined;
    readonly target?: string | undefined;
    readonly address?: string | undefined;
    readonly since?: number | undefined;
    readonly until?: number | undefined;
    /** Only what was done to computers in these groups, to the groups, or by this account. */
    readonly inside?: { readonly groupIds: ReadonlySet<string>; readonly ownName: string | null } | null;
    readonly limit: number;
  }): Promise<StoredAuditEntry[]> {
    let query = this.#db.selectFrom("audit").selectAll();
    if (wanted.before !== undefined) {
      query = query.where("id", "<", wanted.before);
    }
    if (wanted.since !== undefined) {
      query = query.where("atMs", ">=", wanted.since);
    }
    if (wanted.until !== undefined) {
      query = query.where("atMs", "<", wanted.until);
    }
    for (const name of ["actor", "outcome", "action", "target", "address"] as const) {
      const value = wanted[name];
      if (value !== undefined) {
        query = query.where(name, "=", value);
      }
    }
    const { inside = null } = wanted;
    if (inside !== null) {
      query = query.where((is) =>
        is.or([
          is("target", "in", membersOf(this.#db, inside.groupIds)),
          is("target", "in", ["", ...inside.groupIds]),
          is.and([is("actorType", "=", "user"), is("actor", "=", inside.ownName ?? "")]),
        ]),
      );
    }
    return query.orderBy("id", "desc").limit(wanted.limit).execute();
  }
}
