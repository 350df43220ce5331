import type { Selectable } from "kysely";
import { type Database, StoreError } from "./database.ts";
import type { Tables } from "./tables.ts";

export type StoredImage = Omit<Selectable<Tables["images"]>, "manifest">;

const columns = [
  "id",
  "name",
  "sizeBytes",
  "chunkSizeBytes",
  "chunkCount",
  "dataChunkCount",
  "createdAtMs",
  "signature",
  "storedBytes",
  "source",
] as const;

export class ImageStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The image of this name from now on; an older one of that name is replaced. */
  async put(image: StoredImage, manifest: string): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom("images").where("name", "=", image.name).execute();
      await transaction.deleteFrom("images").where("id", "=", image.id).execute();
      await transaction
        .insertInto("images")
        .values({ ...image, manifest })
        .execute();
    });
  }

  async list(): Promise<StoredImage[]> {
    return this.#db.selectFrom("images").select(columns).orderBy("createdAtMs", "desc").execute();
  }

  /** By id, beginning of an id of at least eight characters, or name. @throws StoreError `not-found` */
  async find(idOrName: string): Promise<StoredImage> {
    const images = await this.list();
    const found = images.find(
      (image) =>
        image.id === idOrName ||
        image.name === idOrName ||
        (idOrName.length >= 8 && image.id.startsWith(idOrName)),
    );
    if (found === undefined) {
      throw new StoreError("not-found", `there is no image ${idOrName}; portolan image list shows them`);
    }
    return found;
  }

  /** Manifests of all images, for those who clear the chunk store. */
  async listManifests(): Promise<{ readonly id: string; readonly manifest: string }[]> {
    return this.#db.selectFrom("images").select(["id", "manifest"]).execute();
  }

  /** Its chunks stay until they are pruned. */
  async remove(id: string): Promise<void> {
    await this.#db.deleteFrom("images").where("id", "=", id).execute();
  }

  /** @throws StoreError `not-found` */
  async readManifest(id: string): Promise<string> {
    const row = await this.#db
      .selectFrom("images")
      .select("manifest")
      .where("id", "=", id)
      .executeTakeFirst();
    if (row === undefined) {
      throw new StoreError(
        "not-found",
        `the image ${id.slice(0, 12)} is not in the store; import or capture it, then deploy it`,
      );
    }
    return row.manifest;
  }
}
