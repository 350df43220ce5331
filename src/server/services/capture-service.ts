import { hash } from "node:crypto";
import { decodeManifest, type Manifest, ManifestError } from "#engine/image/manifest.ts";
import type { Clock } from "#platform/clock.ts";
import type { ChunkArrival } from "../chunk-arrival.ts";
import type { ChunkHold, ChunkStore } from "../chunk-store.ts";
import { distinctChunks, type ImageCatalogue } from "../image-catalogue.ts";
import type { ControlLink } from "./control-service.ts";
import type { TransferService } from "./transfer-service.ts";

export type CaptureServiceDependencies = {
  readonly catalogue: Pick<ImageCatalogue, "add">;
  readonly chunks: ChunkStore;
  readonly clock: Clock;
  readonly transfers: Pick<TransferService, "issue" | "revoke">;
  readonly findLink: (computerId: string) => ControlLink | null;
  /** An image that others were getting meanwhile will not be complete. */
  readonly onLost: (imageId: string, reason: string) => void;
};

export type CaptureOrder = {
  readonly computerId: string;
  readonly key: string;
  readonly imageName: string;
  readonly disk: unknown;
  readonly isForced: boolean;
  readonly isStreamed: boolean;
};

/** An image whose manifest is here and whose chunks are still coming. Not in the catalogue until the last has come. */
export type ArrivingImage = {
  readonly id: string;
  readonly computerId: string;
  readonly manifest: Manifest;
  readonly manifestText: string;
  readonly chunkCount: number;
  readonly arrival: ChunkArrival;
  /** Of what is here of it: a lost connection's own hold ends with it. */
  readonly hold: ChunkHold;
};

/** The computer ended its capture before everything had come. */
class CaptureEndedError extends Error {
  readonly code = "capture-ended";

  constructor({ computerId, manifest, arrival, chunkCount }: ArrivingImage) {
    super(
      `computer ${computerId} stopped sending ${manifest.name}: ${arrival.expectedCount} of ${chunkCount} chunks have ` +
        "not come; look at its job, capture it again, then deploy",
    );
    this.name = "CaptureEndedError";
  }
}

/** 64 TiB, as much as a manifest can list. */
const diskSizeBytesMax = 2 ** 46;

/** Between the end of an attempt and the order for the next, when its computer has started anew. */
const nextAttemptMs = 1000;

/** Without a chunk for so long, those who wait for the image are told: a little before they would give up on their own. */
const silenceMsMax = 4 * 60_000;
const lookEveryMs = 10_000;

/** Gives computers the right to send their disk, and tells them to. */
export class CaptureService {
  readonly #dependencies: CaptureServiceDependencies;
  /** Tickets, keyed by computer id. BOUNDED by computers: one task at a time each. */
  readonly #open = new Map<string, string>();
  /** Captures that are not complete, keyed by computer id. BOUNDED by computers: one task at a time each. */
  readonly #orders = new Map<string, CaptureOrder>();
  /** Keyed by computer id. BOUNDED by computers. */
  readonly #arriving = new Map<string, ArrivingImage>();
  /** Keyed by computer id: takes back that its image is lost soon. BOUNDED by computers. */
  readonly #losing = new Map<string, () => void>();
  /** Keyed by computer id: ends the watch for its silence. BOUNDED by computers. */
  readonly #watching = new Map<string, () => void>();

  constructor(dependencies: CaptureServiceDependencies) {
    this.#dependencies = dependencies;
  }

  /** Images that can be deployed while they are captured. */
  arriving(): readonly ArrivingImage[] {
    return [...this.#arriving.values()];
  }

  /** Every capture that is under way, those whose manifest has not come included. */
  orders(): readonly CaptureOrder[] {
    return [...this.#orders.values()];
  }

  /** By its whole id. */
  findArriving(imageId: string): ArrivingImage | undefined {
    return this.arriving().find(({ id }) => id === imageId);
  }

  /** Tells the computer's agent, with a new right; one that is at it already goes on under that. */
  async begin(order: CaptureOrder): Promise<void> {
    const { computerId, key, imageName, disk, isForced, isStreamed } = order;
    const { catalogue, transfers, findLink } = this.#dependencies;
    this.#losing.get(computerId)?.();
    this.#losing.delete(computerId);
    const link = findLink(computerId);
    if (link === null) {
      return;
    }
    const { serverAddress, interfaceName } = link;
    const read = (manifestText: string): Manifest => {
      const manifest = decodeManifest(manifestText);
      if (manifest.name !== imageName) {
        throw new ManifestError(`the manifest is of ${manifest.name}, and not of ${imageName}`);
      }
      return manifest;
    };
    const right = {
      type: "upload" as const,
      sizeBytesMax: diskSizeBytesMax,
      ...(isStreamed ? { onAnnounced: (text: string) => this.#announced(computerId, read(text), text) } : {}),
      onUploaded: async (manifestText: string) => {
        await catalogue.add(read(manifestText), manifestText, `captured from ${computerId}`);
        this.#forget(computerId);
        this.#orders.delete(computerId);
      },
    };
    const transfer = await transfers.issue({ computerId, serverAddress, interfaceName, right });
    this.#revoke(computerId);
    this.#open.set(computerId, transfer.ticket);
    this.#orders.set(computerId, order);
    const task = { kind: "capture-image" as const, imageName, disk, isForced, isStreamed, transfer };
    link.send({ type: "task", key, task });
  }

  /** An attempt is over. When none follows, whoever was getting the image meanwhile is told that it was not all of it. */
  end(computerId: string): void {
    this.#revoke(computerId);
    if (this.#arriving.has(computerId) && !this.#losing.has(computerId)) {
      const lose = (): void => {
        this.#losing.delete(computerId);
        this.#lose(computerId);
      };
      this.#losing.set(computerId, this.#dependencies.clock.after(nextAttemptMs, lose));
    }
  }

  /** The same again after a lost connection goes on; another one means that the disk has changed. */
  async #announced(computerId: string, manifest: Manifest, manifestText: string): Promise<void> {
    const { chunks } = this.#dependencies;
    const id = hash("sha256", manifestText);
    if (this.#arriving.get(computerId)?.id === id) {
      return;
    }
    this.#lose(computerId);
    const wanted = distinctChunks(manifest);
    const hold = chunks.hold();
    wanted.forEach((chunkHash) => hold.add(chunkHash));
    const arrival = await chunks.expect(wanted);
    const chunkCount = wanted.size;
    this.#arriving.set(computerId, { id, computerId, manifest, manifestText, chunkCount, arrival, hold });
    this.#watch(computerId, arrival);
  }

  #watch(computerId: string, arrival: ChunkArrival, silentMs = 0): void {
    const { expectedCount } = arrival;
    const look = (): void => {
      const isSilent = expectedCount > 0 && arrival.expectedCount === expectedCount;
      if (isSilent && silentMs + lookEveryMs >= silenceMsMax) {
        this.#lose(computerId);
      } else {
        this.#watch(computerId, arrival, isSilent ? silentMs + lookEveryMs : 0);
      }
    };
    this.#watching.set(computerId, this.#dependencies.clock.after(lookEveryMs, look));
  }

  #lose(computerId: string): void {
    const lost = this.#arriving.get(computerId);
    if (lost !== undefined) {
      const reason = new CaptureEndedError(lost);
      this.#forget(computerId);
      lost.arrival.fail(reason);
      this.#dependencies.onLost(lost.id, reason.message);
    }
  }

  #forget(computerId: string): void {
    const image = this.#arriving.get(computerId);
    if (image !== undefined) {
      this.#arriving.delete(computerId);
      this.#watching.get(computerId)?.();
      this.#watching.delete(computerId);
      this.#dependencies.chunks.forget(image.arrival);
      image.hold.release();
    }
  }

  #revoke(computerId: string): void {
    this.#orders.delete(computerId);
    const ticket = this.#open.get(computerId);
    if (ticket !== undefined) {
      this.#open.delete(computerId);
      this.#dependencies.transfers.revoke(ticket);
    }
  }
}
