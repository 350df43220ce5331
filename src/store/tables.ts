import type { Generated } from "kysely";
import type { AccountTables, ProviderIdentityTables } from "./account-tables.ts";
import type { AgentTables } from "./agent-tables.ts";
import type { ChunkRequestTables } from "./chunk-request-tables.ts";
import type { GroupTables } from "./group-tables.ts";
import type { InstallerTables } from "./installer-tables.ts";
import type { JobTables } from "./job-tables.ts";
import type { LeaseTables } from "./lease-tables.ts";
import type { PlanTables } from "./plan-tables.ts";
import type { RepeatTables } from "./repeat-tables.ts";
import type { SecondFactorTables, SecurityKeyTables } from "./second-factor-tables.ts";
import type { VerifyTables } from "./verify-tables.ts";

/** Times are epoch milliseconds; JSON is text, read and written by the store that owns the table. */
export type Tables = AccountTables &
  AgentTables &
  ChunkRequestTables &
  GroupTables &
  JobTables &
  InstallerTables &
  LeaseTables &
  PlanTables &
  RepeatTables &
  SecondFactorTables &
  SecurityKeyTables &
  ProviderIdentityTables &
  VerifyTables & {
    /** Secrets and settings of the whole site. */
    site: { key: string; value: string };
    computers: {
      id: string;
      name: string;
      state: "pending" | "approved" | "conflict";
      reason: string | null;
      uuid: string | null;
      serial: string | null;
      macs: string;
      inventory: string | null;
      address: string | null;
      osKeyFingerprint: string | null;
      osKeyAtMs: number | null;
      approvedKeyFingerprint: string | null;
      /** The key that waits for approval now. */
      waitingKeyFingerprint: string | null;
      deployedAtMs: number | null;
      lastSeenAtMs: number | null;
      createdAtMs: number;
      /** Certificates that were issued before do not count. */
      revokedAtMs: number | null;
      /** Since when it is due to get Initial Deployment: it came as new, or an operator asked. `null`: it is not. */
      initialAskedAtMs: number | null;
    };
    images: {
      id: string;
      name: string;
      sizeBytes: number;
      chunkSizeBytes: number;
      chunkCount: number;
      dataChunkCount: number;
      manifest: string;
      createdAtMs: number;
      /** The site's signature of the manifest, JSON; `null` in images of early versions. */
      signature: string | null;
      /** Size of its chunks in the store, each once. */
      storedBytes: number | null;
      /** Where it came from, for people. */
      source: string | null;
    };
    runs: {
      id: string;
      jobId: string;
      computerId: string;
      hasEnded: number;
      body: string;
      updatedAtMs: number;
    };
    bootEvents: {
      id: Generated<number>;
      atMs: number;
      computerId: string | null;
      mac: string | null;
      stage: string;
      outcome: string;
      reason: string | null;
      detail: string | null;
      trace: string | null;
    };
  };
