import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { addAccountGroups, createAccountTables, createProviderIdentityTable } from "./account-tables.ts";
import { createInstallerTable } from "./installer-tables.ts";
import { createJobTables } from "./job-tables.ts";
import { addServerDifferences, createOldAddressTable, createPlanTables } from "./plan-tables.ts";
import { createVerifyTables } from "./verify-tables.ts";
import {
  addInitialDeployment,
  addRevocation,
  createAgentTables,
  createSoftwareTables,
} from "./agent-tables.ts";
import { createChunkRequestTable } from "./chunk-request-tables.ts";
import { signImages } from "./image-tables.ts";
import { createLeaseTables } from "./lease-tables.ts";
import { createGroupTables } from "./group-tables.ts";
import { createRepeatTables } from "./repeat-tables.ts";
import { createSecondFactorTables, createSecurityKeyTable } from "./second-factor-tables.ts";

/** The one difference between the two databases that a table needs. */
export type Dialect = "sqlite" | "postgres";

/** In order, never changed once released: what a database of an older version lacks is added here. */
export function listMigrations(dialect: Dialect): Record<string, Migration> {
  return {
    "0001-first-deployment": { up: (db) => createFirstTables(db, dialect) },
    "0010-plan": { up: createPlanTables },
    "0020-verify": { up: createVerifyTables },
    "0030-signed-images": { up: signImages },
    "0040-jobs": { up: (db) => createJobTables(db, dialect) },
    "0050-agents": { up: (db) => createAgentTables(db, dialect) },
    "0051-revocation": { up: addRevocation },
    "0060-accounts": { up: (db) => createAccountTables(db, dialect) },
    "0070-leases": { up: createLeaseTables },
    "0085-second-factors": { up: createSecondFactorTables },
    "0150-request-keys": { up: createRepeatTables },
    "0160-old-addresses": { up: createOldAddressTable },
    "0170-initial-deployment": { up: addInitialDeployment },
    "0171-software": { up: createSoftwareTables },
    "0180-chunk-requests": { up: createChunkRequestTable },
    "0190-groups": { up: createGroupTables },
    "0200-server-differences": { up: addServerDifferences },
    "0201-boot-traces": { up: addBootTraces },
    "0210-account-groups": { up: addAccountGroups },
    "0220-security-keys": { up: createSecurityKeyTable },
    "0230-provider-identities": { up: createProviderIdentityTable },
    "0240-installers": { up: createInstallerTable },
  };
}

async function addBootTraces(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("bootEvents").addColumn("trace", "text").execute();
}

async function createFirstTables(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await db.schema
    .createTable("site")
    .addColumn("key", "text", (column) => column.primaryKey())
    .addColumn("value", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("computers")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("reason", "text")
    .addColumn("uuid", "text")
    .addColumn("serial", "text")
    .addColumn("macs", "text", (column) => column.notNull())
    .addColumn("inventory", "text")
    .addColumn("address", "text")
    .addColumn("osKeyFingerprint", "text")
    .addColumn("osKeyAtMs", "bigint")
    .addColumn("approvedKeyFingerprint", "text")
    .addColumn("waitingKeyFingerprint", "text")
    .addColumn("deployedAtMs", "bigint")
    .addColumn("lastSeenAtMs", "bigint")
    .addColumn("createdAtMs", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("images")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull().unique())
    .addColumn("sizeBytes", "bigint", (column) => column.notNull())
    .addColumn("chunkSizeBytes", "bigint", (column) => column.notNull())
    .addColumn("chunkCount", "bigint", (column) => column.notNull())
    .addColumn("dataChunkCount", "bigint", (column) => column.notNull())
    .addColumn("manifest", "text", (column) => column.notNull())
    .addColumn("createdAtMs", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("jobs")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("tasks", "text", (column) => column.notNull())
    .addColumn("createdAtMs", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("runs")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("jobId", "text", (column) => column.notNull())
    .addColumn("computerId", "text", (column) => column.notNull())
    .addColumn("hasEnded", "integer", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .addColumn("updatedAtMs", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("bootEvents")
    .addColumn("id", dialect === "sqlite" ? "integer" : "bigserial", (column) => column.primaryKey())
    .addColumn("atMs", "bigint", (column) => column.notNull())
    .addColumn("computerId", "text")
    .addColumn("mac", "text")
    .addColumn("stage", "text", (column) => column.notNull())
    .addColumn("outcome", "text", (column) => column.notNull())
    .addColumn("reason", "text")
    .addColumn("detail", "text")
    .execute();
  await db.schema.createIndex("bootEventsByMac").on("bootEvents").column("mac").execute();
  await db.schema.createIndex("runsByJob").on("runs").column("jobId").execute();
}
