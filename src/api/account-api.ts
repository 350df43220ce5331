import { z } from "zod";
import { groupWord } from "./group-api.ts";
import { pageSchema } from "./page.ts";
import { factorCode } from "./second-factor-api.ts";
import { roles, type Routes } from "./route.ts";
import { epochMs, nothingSchema } from "./values.ts";

const accountName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._@-]{0,63}$/,
    "must be 1 to 64 of a-z, 0-9, . _ @ -, beginning with a letter or digit",
  );
/** Length is what counts; everything that can be typed is allowed. */
const passwordText = z.string().min(10, "must have at least 10 characters").max(256);
const role = z.enum(roles);
/** Groups of computers that it is limited to, with everything in them; `null`: the whole site. */
const limitSchema = z.array(z.object({ id: z.string(), path: z.string() })).nullable();
/** An empty list is refused: a script that finds no group must not open the whole site. */
const limitWords = z.array(groupWord).min(1, "name a group, or null for the whole site").max(64).nullable();

export const meSchema = z.object({
  /** `local`: the administrator of the server's own machine, by the token in its data directory. */
  type: z.enum(["local", "user", "token"]),
  name: z.string(),
  role,
  /** It sees and does nothing outside of some groups of computers, which `GET /groups` lists. */
  isLimited: z.boolean(),
  /** Work that erases many computers may be ordered until then, without the password again. */
  confirmedUntil: epochMs.nullable(),
  /** False for accounts that log in at the login provider, and for programs. */
  hasPassword: z.boolean(),
});
export type MeResource = z.infer<typeof meSchema>;

export const userSchema = z.object({
  id: z.string(),
  name: z.string(),
  role,
  createdAt: epochMs,
  lastLoginAt: epochMs.nullable(),
  /** A code or a security key is asked for at its logins. */
  hasSecondFactor: z.boolean(),
  /** False: it logs in at the login provider. */
  hasPassword: z.boolean(),
  groups: limitSchema,
});
export type UserResource = z.infer<typeof userSchema>;

export const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** Whose it is; `null` when the local administrator made it. */
  userName: z.string().nullable(),
  role,
  createdAt: epochMs,
  expiresAt: epochMs.nullable(),
  lastUsedAt: epochMs.nullable(),
  /** May erase many computers at once; others are refused, since a program has no password to ask for. */
  allowsFleetWork: z.boolean(),
  groups: limitSchema,
});
export type TokenResource = z.infer<typeof tokenSchema>;

export const auditSchema = z.object({
  id: z.number(),
  at: epochMs,
  actor: z.string(),
  actorType: z.string(),
  /** Name of the route, or `login`, `foreign-origin` and the like. */
  action: z.string(),
  target: z.string().nullable(),
  outcome: z.enum(["done", "refused", "failed"]),
  detail: z.string().nullable(),
  address: z.string(),
});
export type AuditResource = z.infer<typeof auditSchema>;

/** What a browser keeps of a login: the cookie alone opens nothing without the proof. */
export const sessionOpened = z.object({ me: meSchema, proof: z.string() });

/** Accounts, sessions of the console, API tokens and the audit log. */
export const accountRoutes = {
  showSetup: {
    method: "GET",
    path: "/setup",
    scope: { shared: "asked before anybody is known; shows nothing of the site" },
    summary: "Whether the first account is still to be made",
    access: "public",
    response: z.object({ needsFirstUser: z.boolean() }),
  },
  createFirstUser: {
    method: "POST",
    path: "/setup",
    scope: { shared: "asked before anybody is known; shows nothing of the site" },
    summary: "Make the first administrator, with the one-time code that the server printed",
    access: "public",
    body: z.object({ code: z.string().max(128), name: accountName, password: passwordText }).strict(),
    isToldOnce: true,
    response: sessionOpened,
  },
  login: {
    method: "POST",
    path: "/login",
    scope: { shared: "asked before anybody is known; shows nothing of the site" },
    summary: "Open a session of the console",
    access: "public",
    /** `code` where the account asks for one: `second-factor-needed` says so. */
    body: z
      .object({ name: z.string().max(64), password: z.string().max(256), code: factorCode.optional() })
      .strict(),
    isToldOnce: true,
    response: sessionOpened,
  },
  logout: {
    method: "POST",
    path: "/logout",
    scope: { shared: "one's own account" },
    summary: "End this session",
    access: "viewer",
    response: z.object({
      ok: z.literal(true),
      /** Where the browser ends its session at the login provider too; `null`: it has none. */
      providerUrl: z.string().nullable(),
    }),
  },
  showMe: {
    method: "GET",
    path: "/me",
    scope: { shared: "one's own account" },
    summary: "Who I am here",
    response: meSchema,
  },
  confirmMe: {
    method: "POST",
    path: "/me/confirm",
    scope: { shared: "one's own account" },
    summary: "Give the password again, for work that erases many computers",
    access: "viewer",
    body: z.object({ password: z.string().max(256) }).strict(),
    response: meSchema,
  },
  changeMyPassword: {
    method: "PUT",
    path: "/me/password",
    scope: { shared: "one's own account" },
    summary: "Change my password; my other sessions end",
    access: "viewer",
    body: z.object({ password: z.string().max(256), newPassword: passwordText }).strict(),
    response: nothingSchema,
  },
  listUsers: {
    method: "GET",
    path: "/users",
    scope: "site",
    summary: "Accounts",
    access: "administrator",
    query: pageSchema,
    pagedBy: "id",
    response: z.array(userSchema),
  },
  createUser: {
    method: "POST",
    path: "/users",
    scope: "site",
    summary: "Make an account",
    access: "administrator",
    body: z
      .object({ name: accountName, role, password: passwordText, groups: limitWords.default(null) })
      .strict(),
    response: userSchema,
  },
  setUserGroups: {
    method: "PUT",
    path: "/users/:id/groups",
    access: "administrator",
    scope: "site",
    summary: "Limit an account to groups of computers, or open the whole site to it",
    body: z.object({ groups: limitWords }).strict(),
    response: userSchema,
  },
  setUserRole: {
    method: "PUT",
    path: "/users/:id/role",
    scope: "site",
    summary: "Change what an account may do",
    access: "administrator",
    body: z.object({ role }).strict(),
    response: userSchema,
  },
  setUserPassword: {
    method: "PUT",
    path: "/users/:id/password",
    scope: "site",
    summary: "Set a new password; all its sessions end",
    access: "administrator",
    body: z.object({ password: passwordText }).strict(),
    response: nothingSchema,
  },
  removeUser: {
    method: "DELETE",
    path: "/users/:id",
    scope: "site",
    summary: "Remove an account with its sessions and tokens",
    access: "administrator",
    response: nothingSchema,
  },
  listTokens: {
    method: "GET",
    path: "/tokens",
    scope: "site",
    summary: "API tokens, without their secrets",
    access: "administrator",
    query: pageSchema,
    pagedBy: "id",
    response: z.array(tokenSchema),
  },
  createToken: {
    method: "POST",
    path: "/tokens",
    scope: "site",
    summary: "Make an API token; its secret is shown this once",
    access: "administrator",
    body: z
      .object({
        name: z.string().min(1).max(64),
        role,
        lifetimeDays: z.number().int().min(1).max(3650).nullable().default(90),
        allowsFleetWork: z.boolean().default(false),
        groups: limitWords.default(null),
      })
      .strict(),
    isToldOnce: true,
    response: z.object({ token: tokenSchema, secret: z.string() }),
  },
  revokeToken: {
    method: "DELETE",
    path: "/tokens/:id",
    scope: "site",
    summary: "End a token at once",
    access: "administrator",
    response: nothingSchema,
  },
  listAudit: {
    method: "GET",
    path: "/audit",
    scope: "filtered",
    summary: "Who did what, newest first",
    access: "administrator",
    query: z
      .object({
        /** Only entries older than this id. */
        before: z.coerce.number().int().positive().optional(),
        actor: z.string().max(64).optional(),
        outcome: z.enum(["done", "refused", "failed"]).optional(),
        action: z.string().max(64).optional(),
        target: z.string().max(256).optional(),
        address: z.string().max(64).optional(),
        /** Not older than this. */
        since: z.coerce.number().int().optional(),
        /** Older than this. */
        until: z.coerce.number().int().optional(),
        limit: z.coerce.number().int().min(1).max(500).default(200),
      })
      .strict(),
    response: z.array(auditSchema),
  },
} as const satisfies Routes;
