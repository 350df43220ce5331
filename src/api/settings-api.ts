import { z } from "zod";
import { findingSchema } from "./plan-lint-api.ts";
import type { Routes } from "./route.ts";
import { epochMs } from "./values.ts";

export const settingSchema = z.object({
  key: z.string(),
  value: z.string(),
  default: z.string(),
  isChanged: z.boolean(),
  /** `server`: one server may have its own value instead of the site's. */
  scope: z.enum(["site", "server"]),
  /** Where the value comes from. */
  source: z.enum(["profile", "site", "server"]),
  siteValue: z.string(),
  /** Servers that run with something else: their own value (`isOwn`), or one they should not have. */
  servers: z.array(z.object({ server: z.string(), value: z.string(), isOwn: z.boolean() })),
  help: z.string(),
  accepts: z.string(),
});
export type SettingResource = z.infer<typeof settingSchema>;

const serverName = z.string().min(1).max(63);

export const setSettingSchema = z
  .object({
    value: z.string().max(4096),
    /** For this server alone. */
    server: serverName.optional(),
  })
  .strict();

export const resetSettingSchema = z.object({ server: serverName.optional() }).strict();

export const setProfileSchema = z.object({ profile: z.enum(["classic", "firewall"]) }).strict();

/** What a change did at this server. */
const effectFields = {
  effect: z.string(),
  /** What could not be followed yet, such as a port that another program holds. */
  problems: z.array(z.string()),
  /** What lint finds now and did not find before. */
  findings: z.array(findingSchema),
};

export const siteServerSchema = z.object({
  name: z.string(),
  startedAt: epochMs,
  seenAt: epochMs,
  isThis: z.boolean(),
  /** It was heard of within the last minute. */
  isAlive: z.boolean(),
  /** What it could not follow. */
  problems: z.array(z.string()),
});
export type SiteServerResource = z.infer<typeof siteServerSchema>;

export const stragglerSchema = z.object({
  computerId: z.string(),
  name: z.string(),
  isConnected: z.boolean(),
  lastSeenAt: epochMs.nullable(),
  /** What became of the last order to move. */
  lastOrder: z.string().nullable(),
});

/** A change of control port, control address or discovery group that is under way at this server. */
export const controlMoveSchema = z.object({
  port: z.number(),
  /** Still open for who has not moved; empty: nothing is under way. */
  oldPorts: z.array(z.number()),
  /** Where control connections are taken, one on each interface. */
  addresses: z.array(z.string()),
  /** Still open for who has not moved. */
  oldAddresses: z.array(z.string()),
  /** Groups with their ports, as `225.1.2.3:402`, that the server still answers on. */
  oldDiscovery: z.array(z.string()),
  stragglers: z.array(stragglerSchema),
});
export type ControlMoveResource = z.infer<typeof controlMoveSchema>;

/** Settings of the site, and its servers. */
export const settingsRoutes = {
  listServers: {
    method: "GET",
    path: "/servers",
    scope: { shared: "servers and their settings; names no computer" },
    summary: "Servers of the site",
    response: z.array(siteServerSchema),
  },
  showControlMove: {
    method: "GET",
    path: "/control-move",
    scope: "filtered",
    summary: "A change of control port, control address or discovery group under way, and who has not moved",
    response: controlMoveSchema,
  },
  releaseControlMove: {
    method: "POST",
    path: "/control-move/release",
    scope: "site",
    summary: "Close what is old now; whoever is left must find the server by discovery",
    response: controlMoveSchema,
  },
  listSettings: {
    method: "GET",
    path: "/settings",
    scope: { shared: "servers and their settings; names no computer" },
    summary: "Every setting, of this server or of another of the site",
    query: z.object({ server: serverName.optional() }),
    response: z.array(settingSchema),
  },
  setSetting: {
    method: "PUT",
    path: "/settings/:id",
    scope: "site",
    summary: "Change one setting",
    body: setSettingSchema,
    response: z.object({ setting: settingSchema, ...effectFields }),
  },
  resetSetting: {
    method: "POST",
    path: "/settings/:id/reset",
    scope: "site",
    summary: "Go back to the profile's value, or with a server to the site's",
    body: resetSettingSchema,
    response: z.object({ setting: settingSchema, ...effectFields }),
  },
  setProfile: {
    method: "PUT",
    path: "/profile",
    scope: "site",
    summary: "Take a whole profile of settings",
    body: setProfileSchema,
    response: z.object({ profile: z.string(), ...effectFields }),
  },
} as const satisfies Routes;
