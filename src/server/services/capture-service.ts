import { decodeManifest, ManifestError } from "#engine/image/manifest.ts";
import type { ImageCatalogue } from "../image-catalogue.ts";
import type { ControlLink } from "./control-service.ts";
import type { TransferService } from "./transfer-service.ts";

export type CaptureServiceDependencies = {
  readonly catalogue: ImageCatalogue;
  readonly transfers: TransferService;
  readonly findLink: (computerId: string) => ControlLink | null;
};

export type CaptureOrder = {
  readonly computerId: string;
  readonly key: string;
  readonly imageName: string;
  readonly disk: unknown;
  readonly isForced: boolean;
};

/** 64 TiB, as much as a manifest can list. */
const diskSizeBytesMax = 2 ** 46;

/** Gives computers the right to send their disk, and tells them to. */
export class CaptureService {
  readonly #dependencies: CaptureServiceDependencies;
  /** Tickets, keyed by computer id. BOUNDED by computers: one task at a time each. */
  readonly #open = new Map<string, string>();

  constructor(dependencies: CaptureServiceDependencies) {
    this.#dependencies = dependencies;
  }

  /** Tells the computer's agent, with a new right; one that is at it already goes on under that. */
  async begin({ computerId, key, imageName, disk, isForced }: CaptureOrder): Promise<void> {
    const { catalogue, transfers, findLink } = this.#dependencies;
    const link = findLink(computerId);
    if (link === null) {
      return;
    }
    const { serverAddress, interfaceName } = link;
    const right = {
      type: "upload" as const,
      sizeBytesMax: diskSizeBytesMax,
      onUploaded: async (manifestText: string) => {
        const manifest = decodeManifest(manifestText);
        if (manifest.name !== imageName) {
          throw new ManifestError(`the manifest is of ${manifest.name}, and not of ${imageName}`);
        }
        await catalogue.add(manifest, manifestText, `captured from ${computerId}`);
      },
    };
    const transfer = await transfers.issue({ computerId, serverAddress, interfaceName, right });
    this.end(computerId);
    this.#open.set(computerId, transfer.ticket);
    link.send({ type: "task", key, task: { kind: "capture-image", imageName, disk, isForced, transfer } });
  }

  end(computerId: string): void {
    const ticket = this.#open.get(computerId);
    if (ticket !== undefined) {
      this.#open.delete(computerId);
      this.#dependencies.transfers.revoke(ticket);
    }
  }
}
