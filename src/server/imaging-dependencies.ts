import type { Logger } from "pino";
import type { Flow } from "#plan/flow.ts";
import type { Settings } from "#plan/settings.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network, NetworkInterface } from "#platform/network.ts";
import type { FetchProgress } from "./chunk-fetch.ts";
import type { ChunkStore } from "./chunk-store.ts";
import type { ReceiverLink } from "./imaging-record.ts";
import type { TransferService } from "./services/transfer-service.ts";

export type ImagingServiceOptions = {
  readonly flows: () => readonly Flow[];
  readonly interfaces: readonly NetworkInterface[];
};

export type ImagingServiceDependencies = {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  readonly chunks: ChunkStore;
  readonly transfers: Pick<TransferService, "issue" | "revoke">;
  readonly settings: () => Settings;
  readonly findLink: (computerId: string) => ReceiverLink | null;
  /** The canonical text of a manifest by its id. */
  readonly readManifest: (contentId: string) => Promise<string>;
  /** Fetches what is not in this server's store. */
  readonly completeContent: (
    contentId: string,
    onProgress: (progress: FetchProgress) => void,
  ) => Promise<void>;
  readonly onJoined: (
    sessionKey: string,
    computerIds: readonly string[],
    joined: number,
    expected: number,
  ) => void;
  readonly onStarted: (sessionKey: string, computerIds: readonly string[]) => void;
  readonly onFailed: (sessionKey: string, computerIds: readonly string[], reason: string) => void;
};
