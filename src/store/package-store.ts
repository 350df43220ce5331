import { type Database, StoreError } from "./database.ts";
import type { PackageDefinition } from "#engine/package/package.ts";

export type StoredPackage = {
  readonly id: string;
  readonly definition: PackageDefinition;
  readonly contentId: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
};

/** Packages, files of jobs and user data: what is in the chunk store beside images, by its manifest. */
export class PackageStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Keeps a manifest under its id; again is no harm. */
  async putContent(id: string, manifest: string, sizeBytes: number, createdAtMs: number): Promise<void> {
    await this.#db
      .insertInto("contents")
      .values({ id, manifest, sizeBytes, createdAtMs })
      .onConflict((conflict) => conflict.column("id").doNothing())
      .execute();
  }

  async findManifest(contentId: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom("contents")
      .select("manifest")
      .where("id", "=", contentId)
      .executeTakeFirst();
    return row?.manifest ?? null;
  }

  /** Manifests of all content, for those who clear the chunk store. */
  async listManifests(): Promise<string[]> {
    const rows = await this.#db.selectFrom("contents").select("manifest").execute();
    return rows.map(({ manifest }) => manifest);
  }

  /** A package of the same name and version is replaced. */
  async put(stored: StoredPackage): Promise<void> {
    const { id, definition, contentId, createdAtMs } = stored;
    const { name, version } = definition;
    await this.#db.transaction().execute(async (transaction) => {
      await transaction
        .deleteFrom("packages")
        .where("name", "=", name)
        .where("version", "=", version)
        .execute();
      await transaction
        .insertInto("packages")
        .values({ id, name, version, contentId, body: JSON.stringify(definition), createdAtMs })
        .execute();
    });
  }

  /** Newest first. */
  async list(): Promise<StoredPackage[]> {
    const rows = await this.#db
      .selectFrom("packages")
      .innerJoin("contents", "contents.id", "packages.contentId")
      .select([
        "packages.id",
        "packages.body",
        "packages.contentId",
        "contents.sizeBytes",
        "packages.createdAtMs",
      ])
      .orderBy("packages.createdAtMs", "desc")
      .execute();
    return rows.map(({ body, ...row }) => ({ ...row, definition: JSON.parse(body) as PackageDefinition }));
  }

  /** By id, name (the newest of that name) or `name=version`. @throws StoreError `not-found` */
  async find(word: string): Promise<StoredPackage> {
    const packages = await this.list();
    const found = packages.find(
      ({ id, definition: { name, version } }) =>
        id === word || name === word || `${name}=${version}` === word,
    );
    if (found === undefined) {
      throw new StoreError("not-found", `there is no package ${word}; portolan package list shows them`);
    }
    return found;
  }

  async remove(id: string): Promise<void> {
    await this.#db.deleteFrom("packages").where("id", "=", id).execute();
  }

  async addUserData(computerId: string, name: string, contentId: string, createdAtMs: number): Promise<void> {
    await this.#db.insertInto("userData").values({ computerId, name, contentId, createdAtMs }).execute();
  }

  /** The newest of this name that a computer stored, or `null`. */
  async findUserData(
    computerId: string,
    name: string,
  ): Promise<{ readonly contentId: string; readonly sizeBytes: number } | null> {
    const row = await this.#db
      .selectFrom("userData")
      .innerJoin("contents", "contents.id", "userData.contentId")
      .select(["userData.contentId", "contents.sizeBytes"])
      .where("userData.computerId", "=", computerId)
      .where("userData.name", "=", name)
      .orderBy("userData.id", "desc")
      .executeTakeFirst();
    return row === undefined ? null : { ...row };
  }
}
