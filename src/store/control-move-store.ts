import type { Database } from "./database.ts";

const rowCountMax = 1000;

export type OldControlEndpoints = {
  readonly ports: readonly { readonly port: number; readonly replacedAtMs: number }[];
  readonly addresses: readonly { readonly address: string; readonly replacedAtMs: number }[];
};

/** Control ports and addresses that servers keep open after a change, and the computers that have not been seen at the new one. */
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

  /** This server's old addresses, oldest first. */
  listAddresses(): Promise<{ readonly address: string; readonly replacedAtMs: number }[]> {
    return this.#db
      .selectFrom("oldControlAddresses")
      .select(["address", "replacedAtMs"])
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
  async put({ ports, addresses }: OldControlEndpoints, computerIds: readonly string[]): Promise<void> {
    const serverName = this.#serverName;
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom("oldControlPorts").where("serverName", "=", serverName).execute();
      await transaction.deleteFrom("oldControlAddresses").where("serverName", "=", serverName).execute();
      await transaction.deleteFrom("controlStragglers").where("serverName", "=", serverName).execute();
      for (const { port, replacedAtMs } of ports) {
        await transaction.insertInto("oldControlPorts").values({ serverName, port, replacedAtMs }).execute();
      }
      for (const { address, replacedAtMs } of addresses) {
        const row = { serverName, address, replacedAtMs };
        await transaction.insertInto("oldControlAddresses").values(row).execute();
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
