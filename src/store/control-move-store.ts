import type { Database } from "./database.ts";

const rowCountMax = 1000;

/** Control ports that servers keep open after a change, and the computers that have not been seen at the new one. */
export class ControlMoveStore {
  readonly #db: Database;
  readonly #serverName: string;

  constructor(db: Database, serverName: string) {
    this.#db = db;
    this.#serverName = serverName;
  }

  /** This server's old ports, oldest first. */
  listPorts(): Promise<{ readonly port: number; readonly replacedAtMs: number }[]> {
    return this.#db
      .selectFrom("oldControlPorts")
      .select(["port", "replacedAtMs"])
      .where("serverName", "=", this.#serverName)
      .orderBy("replacedAtMs")
      .execute();
  }

  async listStragglers(): Promise<string[]> {
    const rows = await this.#db
      .selectFrom("controlStragglers")
      .select("computerId")
      .where("serverName", "=", this.#serverName)
      .orderBy("computerId")
      .execute();
    return rows.map(({ computerId }) => computerId);
  }

  /** Replaces what is known of this server. */
  async put(
    ports: readonly { readonly port: number; readonly replacedAtMs: number }[],
    computerIds: readonly string[],
  ): Promise<void> {
    const serverName = this.#serverName;
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom("oldControlPorts").where("serverName", "=", serverName).execute();
      await transaction.deleteFrom("controlStragglers").where("serverName", "=", serverName).execute();
      for (const { port, replacedAtMs } of ports) {
        await transaction.insertInto("oldControlPorts").values({ serverName, port, replacedAtMs }).execute();
      }
      for (let from = 0; from < computerIds.length; from += rowCountMax) {
        const rows = computerIds.slice(from, from + rowCountMax);
        await transaction
          .insertInto("controlStragglers")
          .values(rows.map((computerId) => ({ serverName, computerId })))
          .execute();
      }
    });
  }

  /** Whoever is at the new place of one server has moved for every server of the site. */
  async moved(computerId: string): Promise<void> {
    await this.#db.deleteFrom("controlStragglers").where("computerId", "=", computerId).execute();
  }
}
