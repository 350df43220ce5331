import type { Kysely } from "kysely";

/** What the plan keeps beside the settings of the site, which are in `site`. */
export type PlanTables = {
  /** Segments as the operator named them. */
  segments: {
    name: string;
    address: string;
    prefixLength: number;
    intent: "imaging" | "management" | "none";
    serverAddress: string | null;
    gatewayAddress: string | null;
    relayAddress: string | null;
  };
  /** What one server has for itself, over the values of the site. */
  serverSettings: { serverName: string; key: string; value: string };
  /** Servers of this site, as they last said. */
  servers: {
    name: string;
    startedAtMs: number;
    seenAtMs: number;
    /** Settings it runs with: JSON, text by key. */
    settings: string;
    /** What it could not follow: JSON, sentences. */
    problems: string;
    /** Where its sockets or its configuration file differ from the plan: JSON, sentences. */
    differences: string;
  };
  /** Control ports of before a change that a server keeps open until every agent has moved. */
  oldControlPorts: { serverName: string; port: number; replacedAtMs: number };
  /** Addresses of before a change, as its ports. */
  oldControlAddresses: { serverName: string; address: string; replacedAtMs: number };
  /** Who has not been seen at the new place yet. */
  controlStragglers: { serverName: string; computerId: string };
};

export async function createPlanTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("segments")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("address", "text", (column) => column.notNull())
    .addColumn("prefixLength", "integer", (column) => column.notNull())
    .addColumn("intent", "text", (column) => column.notNull())
    .addColumn("serverAddress", "text")
    .addColumn("gatewayAddress", "text")
    .addColumn("relayAddress", "text")
    .addUniqueConstraint("segmentsBySubnet", ["address", "prefixLength"])
    .execute();
  await db.schema
    .createTable("serverSettings")
    .addColumn("serverName", "text", (column) => column.notNull())
    .addColumn("key", "text", (column) => column.notNull())
    .addColumn("value", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("serverSettingsKey", ["serverName", "key"])
    .execute();
  await db.schema
    .createTable("servers")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("startedAtMs", "bigint", (column) => column.notNull())
    .addColumn("seenAtMs", "bigint", (column) => column.notNull())
    .addColumn("settings", "text", (column) => column.notNull())
    .addColumn("problems", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("oldControlPorts")
    .addColumn("serverName", "text", (column) => column.notNull())
    .addColumn("port", "integer", (column) => column.notNull())
    .addColumn("replacedAtMs", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("oldControlPortsKey", ["serverName", "port"])
    .execute();
  await db.schema
    .createTable("controlStragglers")
    .addColumn("serverName", "text", (column) => column.notNull())
    .addColumn("computerId", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("controlStragglersKey", ["serverName", "computerId"])
    .execute();
}

export async function createOldAddressTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("oldControlAddresses")
    .addColumn("serverName", "text", (column) => column.notNull())
    .addColumn("address", "text", (column) => column.notNull())
    .addColumn("replacedAtMs", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("oldControlAddressesKey", ["serverName", "address"])
    .execute();
}

export async function addServerDifferences(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("servers")
    .addColumn("differences", "text", (column) => column.notNull().defaultTo("[]"))
    .execute();
}
