import type { Database } from "./database.ts";

/** Whom of a login provider an account belongs to. */
export type ProviderIdentity = { readonly issuer: string; readonly subject: string };

/** Accounts that log in at a provider, by what never changes there: issuer and subject. */
export class ProviderIdentityStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The account's id, or `null`. */
  async find({ issuer, subject }: ProviderIdentity): Promise<string | null> {
    const row = await this.#db
      .selectFrom("providerIdentities")
      .select("userId")
      .where("issuer", "=", issuer)
      .where("subject", "=", subject)
      .executeTakeFirst();
    return row?.userId ?? null;
  }

  async isOfProvider(userId: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom("providerIdentities")
      .select("userId")
      .where("userId", "=", userId)
      .executeTakeFirst();
    return row !== undefined;
  }

  async insert(identity: ProviderIdentity, userId: string): Promise<void> {
    await this.#db
      .insertInto("providerIdentities")
      .values({ ...identity, userId })
      .execute();
  }
}
