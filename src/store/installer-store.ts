import { type Database, StoreError } from "./database.ts";

export type InstallerDefinition = {
  readonly name: string;
  readonly description: string;
  /** Of the kernel; tasks add to it. */
  readonly commandLine: string;
  /** The content is the kernel, so long, and then the initrd. */
  readonly kernelSizeBytes: number;
  /** Of each file alone, to compare with the distribution's lists. */
  readonly kernelSha256: string;
  readonly initrdSha256: string;
  /** As the kernel names itself. */
  readonly kernelVersion: string | null;
  readonly isSigned: boolean;
};

export type StoredInstaller = {
  readonly id: string;
  readonly definition: InstallerDefinition;
  readonly contentId: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
};

/** Installers of distributions: names for content of the chunk store. */
export class InstallerStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** An installer of the same name is replaced. Its manifest is kept before. */
  async put({ id, definition, contentId, createdAtMs }: StoredInstaller): Promise<void> {
    const { name } = definition;
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom("installers").where("name", "=", name).execute();
      await transaction
        .insertInto("installers")
        .values({ id, name, contentId, body: JSON.stringify(definition), createdAtMs })
        .execute();
    });
  }

  /** Newest first. */
  async list(): Promise<StoredInstaller[]> {
    const rows = await this.#db
      .selectFrom("installers")
      .innerJoin("contents", "contents.id", "installers.contentId")
      .select([
        ...(["installers.id", "installers.body", "installers.contentId"] as const),
        ...(["contents.sizeBytes", "installers.createdAtMs"] as const),
      ])
      .orderBy("installers.createdAtMs", "desc")
      .execute();
    return rows.map(({ body, ...row }) => ({ ...row, definition: JSON.parse(body) as InstallerDefinition }));
  }

  /** By id or name. @throws StoreError `not-found` */
  async find(word: string): Promise<StoredInstaller> {
    const found = (await this.list()).find(({ id, definition }) => id === word || definition.name === word);
    if (found === undefined) {
      throw new StoreError("not-found", `there is no installer ${word}; portolan installer list shows them`);
    }
    return found;
  }

  async remove(id: string): Promise<void> {
    await this.#db.deleteFrom("installers").where("id", "=", id).execute();
  }
}
