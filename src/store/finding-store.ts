import type { Finding } from "#engine/findings/finding.ts";
import type { Database } from "./database.ts";

/** A finding with when and how often it was seen. */
export type StoredFinding = Finding & {
  readonly key: string;
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  readonly seenCount: number;
};

/** What is wrong at the site, until it is mended. */
export class FindingStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async list(): Promise<StoredFinding[]> {
    const rows = await this.#db.selectFrom("findings").selectAll().execute();
    return rows.map(({ body, ...row }) => ({ ...(JSON.parse(body) as Finding), ...row }));
  }

  async put(finding: StoredFinding): Promise<void> {
    const { key, firstSeenAtMs, lastSeenAtMs, seenCount, ...rest } = finding;
    const row = { body: JSON.stringify(rest), lastSeenAtMs, seenCount };
    await this.#db
      .insertInto("findings")
      .values({ key, firstSeenAtMs, ...row })
      .onConflict((conflict) => conflict.column("key").doUpdateSet(row))
      .execute();
  }

  async remove(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) {
      await this.#db
        .deleteFrom("findings")
        .where("key", "in", [...keys])
        .execute();
    }
  }

  /** What the last verification of each segment said, as JSON texts. */
  async readVerdicts(): Promise<string[]> {
    const rows = await this.#db.selectFrom("verdicts").select("body").execute();
    return rows.map(({ body }) => body);
  }

  async putVerdicts(segment: string, atMs: number, body: string): Promise<void> {
    await this.#db
      .insertInto("verdicts")
      .values({ segment, atMs, body })
      .onConflict((conflict) => conflict.column("segment").doUpdateSet({ atMs, body }))
      .execute();
  }
}
