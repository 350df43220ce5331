import { join } from "node:path";
import { ImageStore } from "#store/image-store.ts";
import { ChunkStore } from "./chunk-store.ts";
import { ImageCatalogue } from "./image-catalogue.ts";
import type { ServerParts } from "./server.ts";
import { CaptureService } from "./services/capture-service.ts";
import type { ControlLink } from "./services/control-service.ts";
import { TransferService } from "./services/transfer-service.ts";

export type ImageServices = {
  readonly images: ImageStore;
  readonly chunks: ChunkStore;
  readonly catalogue: ImageCatalogue;
  readonly transfers: TransferService;
  readonly captures: CaptureService;
};

/** Images, their chunks, and the connections they travel on. */
export function createImageServices(
  parts: ServerParts,
  findLink: (computerId: string) => ControlLink | null,
): ImageServices {
  const { config, flows, settings, tls, authority, clock, log, db, plan } = parts;
  const images = new ImageStore(db);
  const chunks = new ChunkStore(join(config.dataDir, "chunks"));
  const catalogue = new ImageCatalogue({ images, chunks, authority, clock });
  const transfers = new TransferService(
    {
      flows,
      places: () => plan.openPlaces(),
      maxMbps: () => settings.current()["transfer.maxMbps"],
      tls,
    },
    { authority, clock, log, chunks, readSignature: (imageId) => catalogue.readSignature(imageId) },
  );
  const captures = new CaptureService({ catalogue, transfers, findLink });
  return { images, chunks, catalogue, transfers, captures };
}
