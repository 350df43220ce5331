import type { ComputerGroup } from "#engine/group/group-tree.ts";
import type { Database } from "./database.ts";

/** Databases bound the values of one statement; SQLite's is the lowest, 32766. */
const rowsPerStatement = 5000;

/** A query of the ids of computers that are in these groups, for a condition of another query. */
export function membersOf(db: Database, groupIds: ReadonlySet<string>) {
  // Databases want a list of at least one; no group has an empty id.
  return db
    .selectFrom("groupMembers")
    .select("computerId")
    .where("groupId", "in", ["", ...groupIds]);
}

/** Groups of computers and who is in them. */
export class GroupStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  list(): Promise<ComputerGroup[]> {
    return this.#db.selectFrom("computerGroups").selectAll().orderBy("name").orderBy("id").execute();
  }

  listMembers(): Promise<{ readonly computerId: string; readonly groupId: string }[]> {
    return this.#db.selectFrom("groupMembers").selectAll().execute();
  }

  /** Inserts, or replaces the one with its id. */
  async put({ id, name, parentId }: ComputerGroup): Promise<void> {
    await this.#db
      .insertInto("computerGroups")
      .values({ id, name, parentId })
      .onConflict((conflict) => conflict.column("id").doUpdateSet({ name, parentId }))
      .execute();
  }

  /** All of them or none; `null`: out of every group. */
  async move(computerIds: readonly string[], groupId: string | null): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      for (let first = 0; first < computerIds.length; first += rowsPerStatement) {
        const ids = computerIds.slice(first, first + rowsPerStatement);
        await transaction.deleteFrom("groupMembers").where("computerId", "in", ids).execute();
        if (groupId !== null) {
          const rows = ids.map((computerId) => ({ computerId, groupId }));
          await transaction.insertInto("groupMembers").values(rows).execute();
        }
      }
    });
  }

  /** What is in it, groups and computers, goes to `parentId`. */
  async remove(id: string, parentId: string | null): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.updateTable("computerGroups").set({ parentId }).where("parentId", "=", id).execute();
      await (
        parentId === null
          ? transaction.deleteFrom("groupMembers").where("groupId", "=", id)
          : transaction.updateTable("groupMembers").set({ groupId: parentId }).where("groupId", "=", id)
      ).execute();
      await transaction.deleteFrom("computerGroups").where("id", "=", id).execute();
    });
  }
}
