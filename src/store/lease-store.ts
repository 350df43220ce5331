import type { Lease } from "#engine/dhcp/lease-table.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import type { Database } from "./database.ts";

/** The leases of one server: each serves ranges of its own. */
export class LeaseStore {
  readonly #db: Database;
  readonly #serverName: string;

  constructor(db: Database, serverName: string) {
    this.#db = db;
    this.#serverName = serverName;
  }

  async list(): Promise<Lease[]> {
    const rows = await this.#db
      .selectFrom("leases")
      .selectAll()
      .where("serverName", "=", this.#serverName)
      .execute();
    return rows.map(({ address, mac, state, untilMs }) => ({
      // Only checked addresses are written.
      address: address as Ipv4Address,
      mac: mac as MacAddress | null,
      state,
      untilMs,
    }));
  }

  async put({ address, mac, state, untilMs }: Lease): Promise<void> {
    const row = { mac, state, untilMs: Math.round(untilMs) };
    await this.#db
      .insertInto("leases")
      .values({ serverName: this.#serverName, address, ...row })
      .onConflict((conflict) => conflict.columns(["serverName", "address"]).doUpdateSet(row))
      .execute();
  }
}
