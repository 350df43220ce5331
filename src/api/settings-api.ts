import { z } from "zod";
import { findingSchema } from "./plan-lint-api.ts";
import type { Routes } from "./route.ts";

export const settingSchema = z.object({
  key: z.string(),
  value: z.string(),
  default: z.string(),
  isChanged: z.boolean(),
  help: z.string(),
  accepts: z.string(),
});
export type SettingResource = z.infer<typeof settingSchema>;

export const setSettingSchema = z.object({ value: z.string().max(4096) }).strict();

export const setProfileSchema = z.object({ profile: z.enum(["classic", "firewall"]) }).strict();

/** What a change did at this server. */
const effectFields = {
  effect: z.string(),
  /** What could not be followed yet, such as a port that another program holds. */
  problems: z.array(z.string()),
  /** What lint finds now and did not find before. */
  findings: z.array(findingSchema),
};

/** Settings of the site. */
export const settingsRoutes = {
  listSettings: {
    method: "GET",
    path: "/settings",
    summary: "Every setting",
    response: z.array(settingSchema),
  },
  setSetting: {
    method: "PUT",
    path: "/settings/:id",
    summary: "Change one setting",
    body: setSettingSchema,
    response: z.object({ setting: settingSchema, ...effectFields }),
  },
  setProfile: {
    method: "PUT",
    path: "/profile",
    summary: "Take a whole profile of settings",
    body: setProfileSchema,
    response: z.object({ profile: z.string(), ...effectFields }),
  },
} as const satisfies Routes;
