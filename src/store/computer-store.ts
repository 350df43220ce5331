import type { Selectable } from "kysely";
import type { Inventory } from "#wire/control/inventory.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import type { Database } from "./database.ts";
import type { Tables } from "./tables.ts";

/** A computer on record. */
export type StoredComputer = Omit<Selectable<Tables["computers"]>, "macs" | "inventory"> & {
  readonly macs: readonly MacAddress[];
  readonly inventory: Inventory | null;
};

type Row = Selectable<Tables["computers"]>;

function fromRow(row: Row): StoredComputer {
  return {
    ...row,
    macs: JSON.parse(row.macs) as MacAddress[],
    inventory: row.inventory === null ? null : (JSON.parse(row.inventory) as Inventory),
  };
}

function toRow(computer: StoredComputer): Row {
  return {
    ...computer,
    macs: JSON.stringify(computer.macs),
    inventory: computer.inventory === null ? null : JSON.stringify(computer.inventory),
  };
}

/** Databases bound the values of one statement; SQLite's is the lowest, 32766. */
const rowsPerStatement = 500;

export class ComputerStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async list(): Promise<StoredComputer[]> {
    const rows = await this.#db.selectFrom("computers").selectAll().orderBy("createdAtMs").execute();
    return rows.map(fromRow);
  }

  /** Inserts, or replaces those with their ids, by one statement for many, which costs little more than for one. */
  async put(...computers: StoredComputer[]): Promise<void> {
    for (let first = 0; first < computers.length; first += rowsPerStatement) {
      const rows = computers.slice(first, first + rowsPerStatement).map(toRow);
      const columns = Object.keys(rows[0] ?? {}) as (keyof Row)[];
      await this.#db
        .insertInto("computers")
        .values(rows)
        .onConflict((conflict) =>
          conflict
            .column("id")
            .doUpdateSet((table) =>
              Object.fromEntries(columns.map((column) => [column, table.ref(`excluded.${column}`)])),
            ),
        )
        .execute();
    }
  }

  /** With its place in a group: a row that nobody names would be counted for ever. */
  async remove(id: string): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom("groupMembers").where("computerId", "=", id).execute();
      await transaction.deleteFrom("computers").where("id", "=", id).execute();
    });
  }
}
