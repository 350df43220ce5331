import { join } from "node:path";
import { ImageStore } from "#store/image-store.ts";
import { ChunkRequestStore } from "#store/chunk-request-store.ts";
import type { PackageStore } from "#store/package-store.ts";
import { ServerStore } from "#store/server-store.ts";
import { notifySite } from "#store/site-notices.ts";
import { ChunkDesk } from "./chunk-desk.ts";
import { ChunkFetch } from "./chunk-fetch.ts";
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
  /** The manifest of an image, or of any other content of the store. */
  readonly readManifest: (contentId: string) => Promise<string>;
  readonly chunkDesk: ChunkDesk;
  readonly chunkFetch: ChunkFetch;
};

/** Images, their chunks, and the connections they travel on. */
export function createImageServices(
  parts: ServerParts,
  packages: PackageStore,
  findLink: (computerId: string) => ControlLink | null,
  onLost: (imageId: string, reason: string) => void,
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
    { authority, clock, log, chunks, readSignature: (imageId) => readSignature(imageId) },
  );
  const captures = new CaptureService({ catalogue, chunks, clock, transfers, findLink, onLost });
  const readSignature = async (imageId: string): Promise<string> =>
    captures.findArriving(imageId) === undefined ? catalogue.readSignature(imageId) : catalogue.sign(imageId);
  const readManifest = async (contentId: string): Promise<string> =>
    captures.findArriving(contentId)?.manifestText ??
    (await packages.findManifest(contentId)) ??
    images.readManifest(contentId);
  const shared = {
    ...{ serverName: config.name, requests: new ChunkRequestStore(db), chunks, readManifest, clock },
    notify: () => notifySite(db, "chunks"),
  };
  const chunkDesk = new ChunkDesk({ ...shared, transfers, places: () => plan.openPlaces() });
  const chunkFetch = new ChunkFetch({ ...shared, servers: new ServerStore(db), authority, flows });
  return { images, chunks, catalogue, transfers, captures, readManifest, chunkDesk, chunkFetch };
}
