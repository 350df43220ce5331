import type { OperatorSegment } from "#plan/segment.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { Database } from "./database.ts";

/** Segments as the operator named them. Names and subnets are unique. */
export class SegmentStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async list(): Promise<OperatorSegment[]> {
    const rows = await this.#db.selectFrom("segments").selectAll().orderBy("name").execute();
    return rows.map(({ name, intent, ...row }) => ({
      name,
      // Only checked addresses are written.
      cidr: { address: row.address as Ipv4Address, prefixLength: row.prefixLength },
      intent,
      serverAddress: row.serverAddress as Ipv4Address | null,
      gatewayAddress: row.gatewayAddress as Ipv4Address | null,
      relayAddress: row.relayAddress as Ipv4Address | null,
    }));
  }

  /** Inserts, or replaces the one that is called `formerName`. */
  async put(segment: OperatorSegment, formerName: string = segment.name): Promise<void> {
    const { cidr, ...rest } = segment;
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom("segments").where("name", "=", formerName).execute();
      await transaction
        .insertInto("segments")
        .values({ ...rest, ...cidr })
        .execute();
    });
  }

  /** False when there is none of this name. */
  async remove(name: string): Promise<boolean> {
    const result = await this.#db.deleteFrom("segments").where("name", "=", name).executeTakeFirst();
    return result.numDeletedRows > 0n;
  }
}
