import type { Selectable } from "kysely";
import type { AccountTables } from "./account-tables.ts";
import type { Database } from "./database.ts";

/** Groups of computers that an account or token is limited to; `null`: the whole site. */
type WithGroups<Row> = Omit<Row, "groupIds"> & { readonly groupIds: readonly string[] | null };

export type StoredUser = WithGroups<Selectable<AccountTables["users"]>>;
export type StoredConsoleSession = Selectable<AccountTables["consoleSessions"]>;
export type StoredToken = WithGroups<Selectable<AccountTables["apiTokens"]>>;

function fromRow<Row extends { groupIds: string | null }>(row: Row): WithGroups<Row> {
  return { ...row, groupIds: row.groupIds === null ? null : (JSON.parse(row.groupIds) as string[]) };
}

function formatGroups(groupIds: readonly string[] | null): string | null {
  return groupIds === null ? null : JSON.stringify(groupIds);
}

/** Sessions of one user at once; the oldest goes. */
const sessionsPerUserMax = 20;

/** Users, their sessions and API tokens. Every answer is read fresh: what was revoked anywhere counts at once. */
export class AccountStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async listUsers(): Promise<StoredUser[]> {
    return (await this.#db.selectFrom("users").selectAll().orderBy("name").execute()).map(fromRow);
  }

  async findUser(idOrName: string): Promise<StoredUser | null> {
    const row = await this.#db
      .selectFrom("users")
      .selectAll()
      .where((is) => is.or([is("id", "=", idOrName), is("name", "=", idOrName)]))
      .executeTakeFirst();
    return row === undefined ? null : fromRow(row);
  }

  async insertUser(user: StoredUser): Promise<void> {
    const row = { ...user, groupIds: formatGroups(user.groupIds) };
    await this.#db.insertInto("users").values(row).execute();
  }

  async updateUser(id: string, { groupIds, ...change }: Partial<StoredUser>): Promise<void> {
    const row = { ...change, ...(groupIds === undefined ? {} : { groupIds: formatGroups(groupIds) }) };
    await this.#db.updateTable("users").set(row).where("id", "=", id).execute();
  }

  /** With everything that was opened in its name. */
  async removeUser(id: string): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom("consoleSessions").where("userId", "=", id).execute();
      await transaction.deleteFrom("apiTokens").where("userId", "=", id).execute();
      await transaction.deleteFrom("providerIdentities").where("userId", "=", id).execute();
      await transaction.deleteFrom("securityKeys").where("userId", "=", id).execute();
      await transaction.deleteFrom("recoveryCodes").where("userId", "=", id).execute();
      await transaction.deleteFrom("authenticators").where("userId", "=", id).execute();
      await transaction.deleteFrom("users").where("id", "=", id).execute();
    });
  }

  async insertSession(session: StoredConsoleSession): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.insertInto("consoleSessions").values(session).execute();
      const kept = await transaction
        .selectFrom("consoleSessions")
        .select("idHash")
        .where("userId", "=", session.userId)
        .orderBy("createdAtMs", "desc")
        .limit(sessionsPerUserMax)
        .execute();
      await transaction
        .deleteFrom("consoleSessions")
        .where("userId", "=", session.userId)
        .where(
          "idHash",
          "not in",
          kept.map(({ idHash }) => idHash),
        )
        .execute();
    });
  }

  async findSession(idHash: string): Promise<{ session: StoredConsoleSession; user: StoredUser } | null> {
    const session = await this.#db
      .selectFrom("consoleSessions")
      .selectAll()
      .where("idHash", "=", idHash)
      .executeTakeFirst();
    const user = session === undefined ? null : await this.findUser(session.userId);
    return session === undefined || user === null ? null : { session, user };
  }

  async updateSession(idHash: string, change: Partial<StoredConsoleSession>): Promise<void> {
    await this.#db.updateTable("consoleSessions").set(change).where("idHash", "=", idHash).execute();
  }

  async removeSession(idHash: string): Promise<void> {
    await this.#db.deleteFrom("consoleSessions").where("idHash", "=", idHash).execute();
  }

  /** All of a user but one. */
  async removeSessionsOf(userId: string, exceptIdHash: string | null): Promise<void> {
    await this.#db
      .deleteFrom("consoleSessions")
      .where("userId", "=", userId)
      .where("idHash", "!=", exceptIdHash ?? "")
      .execute();
  }

  async listTokens(): Promise<StoredToken[]> {
    const tokens = this.#db.selectFrom("apiTokens").selectAll().orderBy("createdAtMs", "desc");
    return (await tokens.execute()).map(fromRow);
  }

  async findToken(secretHash: string): Promise<StoredToken | null> {
    const row = await this.#db
      .selectFrom("apiTokens")
      .selectAll()
      .where("secretHash", "=", secretHash)
      .executeTakeFirst();
    return row === undefined ? null : fromRow(row);
  }

  async insertToken(token: StoredToken): Promise<void> {
    const row = { ...token, groupIds: formatGroups(token.groupIds) };
    await this.#db.insertInto("apiTokens").values(row).execute();
  }

  async noteTokenUse(id: string, atMs: number): Promise<void> {
    await this.#db.updateTable("apiTokens").set({ lastUsedAtMs: atMs }).where("id", "=", id).execute();
  }

  async removeToken(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db.deleteFrom("apiTokens").where("id", "=", id).executeTakeFirst();
    return numDeletedRows > 0n;
  }
}
