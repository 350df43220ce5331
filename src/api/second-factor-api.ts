import { z } from "zod";
import type { Routes } from "./route.ts";
import { addedCredential, keyOptions } from "./security-key-schema.ts";
import { epochMs, nothingSchema } from "./values.ts";

export const securityKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  /** The host name it was added at: it answers at no other. */
  host: z.string(),
  createdAt: epochMs,
  lastUsedAt: epochMs.nullable(),
});
export type SecurityKeyResource = z.infer<typeof securityKeySchema>;

export const secondFactorSchema = z.object({
  /** Since when there is an authenticator; `null`: none. Without one and without a key, the password is enough. */
  authenticatorSince: epochMs.nullable(),
  recoveryCodesLeft: z.number().int(),
  securityKeys: z.array(securityKeySchema),
  /** Security keys work when the console is opened by this host name; `null`: nowhere. */
  keyHost: z.string().nullable(),
});
export type SecondFactorResource = z.infer<typeof secondFactorSchema>;

const passwordGiven = z.string().max(256);
const keyName = z.string().trim().min(1).max(64);
/** Six digits of the authenticator, or a recovery code. */
export const factorCode = z.string().max(64);

/** The second factor of one's own account, and its reset by an administrator. */
export const secondFactorRoutes = {
  showMySecondFactor: {
    method: "GET",
    path: "/me/second-factor",
    scope: { shared: "one's own account" },
    summary: "Whether my account asks for a code beside the password",
    response: secondFactorSchema,
  },
  beginMyAuthenticator: {
    method: "POST",
    path: "/me/authenticator",
    scope: { shared: "one's own account" },
    summary: "Get a secret for my authenticator; it counts once a code has confirmed it",
    access: "viewer",
    body: z.object({ password: passwordGiven }).strict(),
    isToldOnce: true,
    response: z.object({ secret: z.string(), uri: z.string() }),
  },
  confirmMyAuthenticator: {
    method: "POST",
    path: "/me/authenticator/confirm",
    scope: { shared: "one's own account" },
    summary: "Ask for a code from now on; the recovery codes are shown this once",
    access: "viewer",
    body: z.object({ code: factorCode }).strict(),
    isToldOnce: true,
    response: z.object({ recoveryCodes: z.array(z.string()) }),
  },
  removeMyAuthenticator: {
    method: "POST",
    path: "/me/authenticator/remove",
    scope: { shared: "one's own account" },
    summary: "Ask for no code any more; needs the password and a last code",
    access: "viewer",
    body: z.object({ password: passwordGiven, code: factorCode }).strict(),
    response: nothingSchema,
  },
  beginMySecurityKey: {
    method: "POST",
    path: "/me/security-keys/begin",
    summary: "Get a challenge for a security key or passkey that is to be added to my account",
    access: "viewer",
    scope: { shared: "one's own account" },
    body: z.object({ password: passwordGiven }).strict(),
    isToldOnce: true,
    response: keyOptions,
  },
  addMySecurityKey: {
    method: "POST",
    path: "/me/security-keys",
    summary: "Add a security key; recovery codes are shown this once, when the account had none",
    access: "viewer",
    scope: { shared: "one's own account" },
    body: z.object({ name: keyName, credential: addedCredential }).strict(),
    isToldOnce: true,
    response: z.object({ securityKey: securityKeySchema, recoveryCodes: z.array(z.string()) }),
  },
  removeMySecurityKey: {
    method: "POST",
    path: "/me/security-keys/:id/remove",
    summary: "Take a security key off my account; needs the password",
    access: "viewer",
    scope: { shared: "one's own account" },
    body: z.object({ password: passwordGiven }).strict(),
    response: nothingSchema,
  },
  resetSecondFactor: {
    method: "DELETE",
    path: "/users/:id/second-factor",
    scope: "site",
    summary: "Take the second factor off an account whose owner has lost it; its sessions end",
    access: "administrator",
    response: nothingSchema,
  },
} as const satisfies Routes;
